/* The kernel's NBD driver through generic netlink (linux/nbd-netlink.h). */
#define _GNU_SOURCE
#include "nbd-attach.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/nbd-netlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int control = -1, events = -1;
static uint16_t family;
static uint32_t group;
static uint32_t sequence;

struct message {
    struct nlmsghdr header;
    struct genlmsghdr generic;
    char room[512];
};

static void begin(struct message *message, uint16_t type, uint8_t command, uint8_t version) {
    memset(message, 0, sizeof *message);
    message->header.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
    message->header.nlmsg_type = type;
    message->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    message->header.nlmsg_seq = ++sequence;
    message->generic.cmd = command;
    message->generic.version = version;
}

static struct nlattr *put(struct message *message, uint16_t type, const void *data, uint16_t length) {
    struct nlattr *attribute = (struct nlattr *)((char *)message + NLMSG_ALIGN(message->header.nlmsg_len));
    attribute->nla_type = type;
    attribute->nla_len = NLA_HDRLEN + length;
    if (length) memcpy((char *)attribute + NLA_HDRLEN, data, length);
    message->header.nlmsg_len = NLMSG_ALIGN(message->header.nlmsg_len) + NLA_ALIGN(attribute->nla_len);
    return attribute;
}

static void put32(struct message *message, uint16_t type, uint32_t value) { put(message, type, &value, sizeof value); }
static void put64(struct message *message, uint16_t type, uint64_t value) { put(message, type, &value, sizeof value); }

static void end_nest(struct message *message, struct nlattr *nest) {
    nest->nla_len = (char *)message + message->header.nlmsg_len - (char *)nest;
}

static void put_socket(struct message *message, int descriptor) {
    struct nlattr *list = put(message, NBD_ATTR_SOCKETS | NLA_F_NESTED, NULL, 0);
    struct nlattr *item = put(message, NBD_SOCK_ITEM | NLA_F_NESTED, NULL, 0);
    put32(message, NBD_SOCK_FD, descriptor);
    end_nest(message, item);
    end_nest(message, list);
}

/* Sends and waits for the acknowledgement; `on_reply` sees what comes before it. */
static int request(struct message *message, void (*on_reply)(const struct nlmsghdr *)) {
    static char answer[8192] __attribute__((aligned(8)));
    if (send(control, message, message->header.nlmsg_len, 0) < 0) return -errno;
    for (int datagrams = 0; datagrams < 32; datagrams++) {
        ssize_t got = recv(control, answer, sizeof answer, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -errno;
        int left = (int)got;
        for (struct nlmsghdr *at = (struct nlmsghdr *)answer; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
            if (at->nlmsg_seq != sequence) continue;
            if (at->nlmsg_type == NLMSG_ERROR) return ((struct nlmsgerr *)NLMSG_DATA(at))->error;
            if (on_reply) on_reply(at);
        }
    }
    return -EPROTO;
}

#define FOR_EACH_ATTRIBUTE(at, left_name, length)                                                     \
    for (int left_name = (int)(length); left_name >= (int)NLA_HDRLEN && (at)->nla_len >= NLA_HDRLEN &&        \
                                        (at)->nla_len <= left_name;                                          \
         left_name -= NLA_ALIGN((at)->nla_len), (at) = (struct nlattr *)((char *)(at) + NLA_ALIGN((at)->nla_len)))

static void learn_family(const struct nlmsghdr *header) {
    struct nlattr *at = (struct nlattr *)((char *)NLMSG_DATA(header) + GENL_HDRLEN);
    FOR_EACH_ATTRIBUTE(at, left, header->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN)) {
        void *value = (char *)at + NLA_HDRLEN;
        if ((at->nla_type & NLA_TYPE_MASK) == CTRL_ATTR_FAMILY_ID) memcpy(&family, value, sizeof family);
        if ((at->nla_type & NLA_TYPE_MASK) != CTRL_ATTR_MCAST_GROUPS) continue;
        struct nlattr *entry = value;
        FOR_EACH_ATTRIBUTE(entry, rest, at->nla_len - NLA_HDRLEN) {
            uint32_t id = 0;
            bool ours = false;
            struct nlattr *field = (struct nlattr *)((char *)entry + NLA_HDRLEN);
            FOR_EACH_ATTRIBUTE(field, inner, entry->nla_len - NLA_HDRLEN) {
                char *data = (char *)field + NLA_HDRLEN;
                size_t size = field->nla_len - NLA_HDRLEN;
                int type = field->nla_type & NLA_TYPE_MASK;
                if (type == CTRL_ATTR_MCAST_GRP_ID && size >= sizeof id) memcpy(&id, data, sizeof id);
                if (type == CTRL_ATTR_MCAST_GRP_NAME && size == sizeof NBD_GENL_MCAST_GROUP_NAME)
                    ours = memcmp(data, NBD_GENL_MCAST_GROUP_NAME, size) == 0;
            }
            if (ours) group = id;
        }
    }
}

static int open_generic(void) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
    struct sockaddr_nl self = {.nl_family = AF_NETLINK};
    if (descriptor >= 0 && bind(descriptor, (struct sockaddr *)&self, sizeof self) < 0) return -1;
    return descriptor;
}

/* Finds the driver and joins its announcements, before any connection exists that could die unheard. */
int netlink_open(void) {
    control = open_generic();
    events = open_generic();
    if (control < 0 || events < 0) return -errno;
    struct timeval limit = {.tv_sec = 10};
    setsockopt(control, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    struct message message;
    begin(&message, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
    put(&message, CTRL_ATTR_FAMILY_NAME, NBD_GENL_FAMILY_NAME, sizeof NBD_GENL_FAMILY_NAME);
    int error = request(&message, learn_family);
    if (error) return error;
    if (!family) return -ENOENT;
    if (group && setsockopt(events, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0) return -errno;
    return 0;
}

int netlink_connect(uint32_t index, int descriptor, const struct export_info *info, uint64_t timeout, uint64_t dead_timeout) {
    /* The kernel takes powers of two from 512 to its page size. */
    uint64_t block = 512;
    while (block < info->minimum_block && block < 4096) block *= 2;
    struct message message;
    begin(&message, family, NBD_CMD_CONNECT, NBD_GENL_VERSION);
    put32(&message, NBD_ATTR_INDEX, index);
    put64(&message, NBD_ATTR_SIZE_BYTES, info->size);
    put64(&message, NBD_ATTR_BLOCK_SIZE_BYTES, block);
    put64(&message, NBD_ATTR_SERVER_FLAGS, info->flags);
    put64(&message, NBD_ATTR_TIMEOUT, timeout);
    put64(&message, NBD_ATTR_DEAD_CONN_TIMEOUT, dead_timeout);
    put_socket(&message, descriptor);
    return request(&message, NULL);
}

int netlink_reconfigure(uint32_t index, int descriptor, uint64_t timeout) {
    struct message message;
    begin(&message, family, NBD_CMD_RECONFIGURE, NBD_GENL_VERSION);
    put32(&message, NBD_ATTR_INDEX, index);
    put64(&message, NBD_ATTR_TIMEOUT, timeout);
    put_socket(&message, descriptor);
    return request(&message, NULL);
}

/* Tells the kernel that the device has another size; `timeout` is set with it, after it. */
int netlink_resize(uint32_t index, uint64_t size, uint64_t timeout) {
    struct message message;
    begin(&message, family, NBD_CMD_RECONFIGURE, NBD_GENL_VERSION);
    put32(&message, NBD_ATTR_INDEX, index);
    put64(&message, NBD_ATTR_SIZE_BYTES, size);
    put64(&message, NBD_ATTR_TIMEOUT, timeout);
    return request(&message, NULL);
}

int netlink_events(void) { return events; }

/* Reads all waiting announcements; true when one says that a link of our device died. */
bool netlink_link_died(uint32_t index) {
    static char datagram[4096] __attribute__((aligned(8)));
    bool died = false;
    for (int count = 0; count < 64; count++) {
        ssize_t got = recv(events, datagram, sizeof datagram, MSG_DONTWAIT);
        if (got < 0) return died || errno == ENOBUFS; /* announcements were lost: look at the link */
        int left = (int)got;
        for (struct nlmsghdr *at = (struct nlmsghdr *)datagram; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
            struct genlmsghdr *generic = NLMSG_DATA(at);
            if (at->nlmsg_type != family || generic->cmd != NBD_CMD_LINK_DEAD) continue;
            struct nlattr *field = (struct nlattr *)((char *)generic + GENL_HDRLEN);
            uint32_t which = index;
            FOR_EACH_ATTRIBUTE(field, rest, at->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN))
                if ((field->nla_type & NLA_TYPE_MASK) == NBD_ATTR_INDEX)
                    memcpy(&which, (char *)field + NLA_HDRLEN, sizeof which);
            if (which == index) died = true;
        }
    }
    return died;
}
