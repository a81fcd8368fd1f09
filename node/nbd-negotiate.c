/* The client's half of an NBD handshake: fixed newstyle, NBD_OPT_GO, NBD_OPT_EXPORT_NAME for servers without it. */
#define _GNU_SOURCE
#include "nbd-attach.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MAGIC_SERVER 0x4e42444d41474943ULL /* NBDMAGIC */
#define MAGIC_OPTION 0x49484156454f5054ULL /* IHAVEOPT */
#define MAGIC_REPLY 0x0003e889045565a9ULL
#define FLAG_FIXED_NEWSTYLE 1
#define FLAG_NO_ZEROES 2
#define OPT_EXPORT_NAME 1
#define OPT_GO 7
#define REP_ACK 1
#define REP_INFO 3
#define REP_ERROR 0x80000000U
#define REP_ERR_UNSUP 0x80000001U
#define REP_ERR_SHUTDOWN 0x80000007U
#define INFO_EXPORT 0
#define INFO_BLOCK_SIZE 3

#define STEP_SECONDS 3      /* longest silence while we talk */
#define HANDSHAKE_SECONDS 8 /* longest handshake altogether, for servers that trickle */
#define REPLIES_MAX 64      /* more information than any server has */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool parse_target(const char *uri, struct target *target, char *why, size_t why_size) {
    memset(target, 0, sizeof *target);
    if (strncmp(uri, "nbd://", 6) != 0) {
        snprintf(why, why_size, "'%.80s' is not an NBD address; it looks like nbd://10.0.0.1:10809/export", uri);
        return false;
    }
    const char *host = uri + 6, *path = strchrnul(host, '/');
    bool bracket = *host == '[';
    const char *host_end = bracket ? memchr(host, ']', path - host) : NULL;
    if (bracket && !host_end) {
        snprintf(why, why_size, "'%.80s' has no ']' after its IPv6 address", uri);
        return false;
    }
    const char *colon = bracket ? host_end + 1 : memchr(host, ':', path - host);
    if (bracket) host++;
    else host_end = colon ? colon : path;
    unsigned long port = 10809;
    if (colon && colon < path) {
        char *end;
        port = strtoul(colon + 1, &end, 10);
        if (*colon != ':' || end != path || end == colon + 1 || port == 0 || port > 65535) {
            snprintf(why, why_size, "'%.80s' has a port that is no number from 1 to 65535", uri);
            return false;
        }
    }
    char name[INET6_ADDRSTRLEN];
    size_t length = host_end - host;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&target->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&target->address;
    if (length >= sizeof name) length = 0;
    memcpy(name, host, length);
    name[length] = 0;
    if (!bracket && inet_pton(AF_INET, name, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        target->address_length = sizeof *v4;
    } else if (bracket && inet_pton(AF_INET6, name, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        target->address_length = sizeof *v6;
    } else {
        snprintf(why, why_size, "'%.80s' names its server by something else than an IP address", uri);
        return false;
    }
    snprintf(target->text, sizeof target->text, bracket ? "[%s]:%lu" : "%s:%lu", name, port);

    size_t used = 0;
    for (const char *from = *path ? path + 1 : path; *from; from++) {
        char byte = *from;
        if (byte == '%') {
            int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);
            if (low < 0) {
                snprintf(why, why_size, "'%.80s' has a '%%' without two hexadecimal digits after it", uri);
                return false;
            }
            byte = (char)(high << 4 | low);
            from += 2;
        }
        if (used == EXPORT_NAME_MAX) {
            snprintf(why, why_size, "the export name is longer than %d bytes", EXPORT_NAME_MAX);
            return false;
        }
        target->export[used++] = byte;
    }
    return true;
}

static time_t seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* A conversation that stops at its first error; the functions below do nothing once `failed` is set. */
struct talk {
    int descriptor;
    time_t deadline;
    bool failed;
    char *why;
    size_t why_size;
};

static void talk_fail(struct talk *talk, const char *what) {
    if (!talk->failed) snprintf(talk->why, talk->why_size, "%s", what);
    talk->failed = true;
}

static void talk_read(struct talk *talk, void *into, size_t count) {
    for (char *at = into; count && !talk->failed;) {
        ssize_t got = recv(talk->descriptor, at, count, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) talk_fail(talk, "the server closed the connection during the handshake");
        else if (got < 0) talk_fail(talk, errno == EAGAIN ? "the server does not answer" : strerror(errno));
        else if (seconds_now() > talk->deadline) talk_fail(talk, "the server's handshake takes too long");
        else at += got, count -= got;
    }
    if (talk->failed && count) memset(into, 0, count);
}

static void talk_write(struct talk *talk, const void *from, size_t count) {
    for (const char *at = from; count && !talk->failed;) {
        ssize_t put = send(talk->descriptor, at, count, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) talk_fail(talk, strerror(errno));
        else at += put, count -= put;
    }
}

static uint16_t read16(struct talk *talk) { uint16_t v = 0; talk_read(talk, &v, sizeof v); return be16toh(v); }
static uint32_t read32(struct talk *talk) { uint32_t v = 0; talk_read(talk, &v, sizeof v); return be32toh(v); }
static uint64_t read64(struct talk *talk) { uint64_t v = 0; talk_read(talk, &v, sizeof v); return be64toh(v); }

static void talk_skip(struct talk *talk, size_t count) {
    char waste[256];
    while (count && !talk->failed) {
        size_t now = count < sizeof waste ? count : sizeof waste;
        talk_read(talk, waste, now);
        count -= now;
    }
}

static void send_option(struct talk *talk, uint32_t option, const void *data, uint32_t length) {
    struct __attribute__((packed)) { uint64_t magic; uint32_t option, length; } header = {
        htobe64(MAGIC_OPTION), htobe32(option), htobe32(length)};
    talk_write(talk, &header, sizeof header);
    talk_write(talk, data, length);
}

/* NBD_OPT_EXPORT_NAME: the only option an old server knows; it hangs up where others would say why. */
static void old_handshake(struct talk *talk, const struct target *target, bool no_zeroes, struct export_info *info) {
    send_option(talk, OPT_EXPORT_NAME, target->export, strlen(target->export));
    info->size = read64(talk);
    info->flags = read16(talk);
    if (!no_zeroes) talk_skip(talk, 124);
}

static enum dial_result handshake(struct talk *talk, const struct target *target, struct export_info *info) {
    static uint8_t request[4 + EXPORT_NAME_MAX + 4];
    uint64_t magic = read64(talk), second = read64(talk);
    uint16_t server = read16(talk);
    if (!talk->failed && (magic != MAGIC_SERVER || second != MAGIC_OPTION || !(server & FLAG_FIXED_NEWSTYLE)))
        talk_fail(talk, "what listens there is no NBD server of the fixed newstyle kind");
    bool no_zeroes = server & FLAG_NO_ZEROES;
    uint32_t client = htobe32(FLAG_FIXED_NEWSTYLE | (no_zeroes ? FLAG_NO_ZEROES : 0));
    talk_write(talk, &client, sizeof client);

    uint32_t length = strlen(target->export), wire = htobe32(length);
    uint16_t tail[2] = {htobe16(1), htobe16(INFO_BLOCK_SIZE)};
    memcpy(request, &wire, 4);
    memcpy(request + 4, target->export, length);
    memcpy(request + 4 + length, tail, 4);
    send_option(talk, OPT_GO, request, length + 8);

    bool known = false;
    for (int replies = 0; !talk->failed; replies++) {
        uint64_t reply = read64(talk);
        uint32_t option = read32(talk), type = read32(talk), size = read32(talk);
        if (talk->failed) break;
        if (reply != MAGIC_REPLY || option != OPT_GO || replies == REPLIES_MAX || size > 1 << 20) {
            talk_fail(talk, "the server's answer to NBD_OPT_GO makes no sense");
        } else if (type == REP_ACK) {
            if (known) return DIAL_OK;
            talk_fail(talk, "the server did not say the size of the export");
        } else if (type == REP_ERR_UNSUP) {
            talk_skip(talk, size);
            old_handshake(talk, target, no_zeroes, info);
            if (!talk->failed) return DIAL_OK;
        } else if (type & REP_ERROR) {
            char message[200];
            uint32_t kept = size < sizeof message - 1 ? size : sizeof message - 1;
            talk_read(talk, message, kept);
            if (talk->failed) break;
            message[kept] = 0;
            for (char *at = message; *at; at++)
                if ((unsigned char)*at < ' ') *at = ' ';
            snprintf(talk->why, talk->why_size, "the server refuses export '%.160s': %s (NBD error %u)", target->export,
                     kept ? message : "it says no more", type & ~REP_ERROR);
            /* It stops, or is busy with what is kept for this machine: that passes. */
            return type == REP_ERR_SHUTDOWN ? DIAL_UNREACHABLE : DIAL_REFUSED;
        } else if (type == REP_INFO && size >= 2) {
            uint16_t kind = read16(talk);
            size -= 2;
            if (kind == INFO_EXPORT && size >= 10) {
                info->size = read64(talk);
                info->flags = read16(talk);
                known = true;
                size -= 10;
            } else if (kind == INFO_BLOCK_SIZE && size >= 12) {
                info->minimum_block = read32(talk);
                size -= 4;
            }
            talk_skip(talk, size);
        } else {
            talk_skip(talk, size);
        }
    }
    return DIAL_UNREACHABLE;
}

static void set_number(int descriptor, int level, int option, int value) {
    setsockopt(descriptor, level, option, &value, sizeof value);
}

static void set_patience(int descriptor, time_t seconds) {
    struct timeval limit = {.tv_sec = seconds};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* Connects and shakes hands. The socket is ready for the kernel: without our time limits, with TCP's own. */
enum dial_result dial(const struct target *target, int *descriptor, struct export_info *info, char *why, size_t why_size) {
    *info = (struct export_info){.minimum_block = 1};
    int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        snprintf(why, why_size, "no socket: %s", strerror(errno));
        return DIAL_UNREACHABLE;
    }
    set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 15000); /* ms: a silent network is noticed after that */
    set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, 5);
    set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
    set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
    set_patience(fd, STEP_SECONDS);
    struct talk talk = {.descriptor = fd, .deadline = seconds_now() + HANDSHAKE_SECONDS, .why = why, .why_size = why_size};
    enum dial_result result = DIAL_UNREACHABLE;
    if (connect(fd, (const struct sockaddr *)&target->address, target->address_length) < 0)
        talk_fail(&talk, errno == EINPROGRESS || errno == EAGAIN ? "no answer" : strerror(errno));
    else
        result = handshake(&talk, target, info);
    if (result != DIAL_OK) {
        close(fd);
        return result;
    }
    set_patience(fd, 0);
    *descriptor = fd;
    return DIAL_OK;
}
