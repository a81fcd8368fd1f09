/* What the parts of nbd-attach share. Static, no allocation after start, no locale, no DNS. */
#ifndef NBD_ATTACH_H
#define NBD_ATTACH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest export name the NBD specification demands of an implementation. */
#define EXPORT_NAME_MAX 4096

/* Where a root is served: the parts of nbd://host:port/export. */
struct target {
    struct sockaddr_storage address;
    socklen_t address_length;
    char text[72];                    /* "10.0.0.1:10809", for messages */
    char export[EXPORT_NAME_MAX + 1]; /* percent-decoded */
};

/* What the server said of the export. */
struct export_info {
    uint64_t size;         /* bytes */
    uint16_t flags;        /* NBD_FLAG_*, transmission flags */
    uint32_t minimum_block; /* bytes; 1 when the server does not say */
};

enum dial_result {
    DIAL_OK,
    DIAL_UNREACHABLE, /* try again: no server there, or it went silent */
    DIAL_REFUSED,     /* the server is there and says no */
};

/* nbd-negotiate.c */
bool parse_target(const char *uri, struct target *target, char *why, size_t why_size);
enum dial_result dial(const struct target *target, int *descriptor, struct export_info *info, char *why, size_t why_size);

/* nbd-netlink.c; all return 0 or a negative errno */
int netlink_open(void);
int netlink_connect(uint32_t index, int descriptor, const struct export_info *info, uint64_t timeout, uint64_t dead_timeout);
int netlink_reconfigure(uint32_t index, int descriptor, uint64_t timeout);
int netlink_resize(uint32_t index, uint64_t size, uint64_t timeout);
int netlink_events(void);
bool netlink_link_died(uint32_t index);

/* nbd-grow.c */
void grow_prepare(void);
bool grow_enter_system(void);
bool grow_file_system(uint32_t index, const char *place, uint64_t *now, char *why, size_t why_size);

#endif
