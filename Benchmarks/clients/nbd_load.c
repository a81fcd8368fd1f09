// usage: nbd_load ADDRESS PORT EXPORT (random|sequential)-(read|write) BLOCK DEPTH CONNECTIONS SECONDS FLUSH_EVERY FILL
// Keeps DEPTH requests under way on each connection with simple replies, as the kernel's client does, and prints what it
// did. Reads of a file whose words hold their own offset are checked at both ends, and writes keep that true.
// FILL bytes at the beginning, if not 0, are written and flushed first; what is measured stays within them then.
#include "load.h"
#include <endian.h>
#include <sys/uio.h>

enum { ROOM = 4 << 20, REQUEST = 28, REPLY = 16 };

struct request {
    uint64_t offset;
    int command;
};
struct connection {
    int socket, since_flush, queued;
    uint64_t size, next;
    size_t have;
    // The middle of a long read is dropped in the kernel, so that the client's copying is not what is measured.
    size_t dropped;
    int tail_of;
    uint8_t *input, *headers, *payload;
    struct request *requests;
    struct iovec *parts;
};

static int depth, is_random, is_write, flush_every, finishing;
static size_t block;
static uint64_t under_way, operations;

static void put16(uint8_t *p, uint16_t v) { v = htobe16(v), memcpy(p, &v, 2); }
static void put32(uint8_t *p, uint32_t v) { v = htobe32(v), memcpy(p, &v, 4); }
static void put64(uint8_t *p, uint64_t v) { v = htobe64(v), memcpy(p, &v, 8); }
static uint32_t get32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return be32toh(v); }
static uint64_t get64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return be64toh(v); }

static void receive(int socket, void *into, size_t count) {
    if (recv(socket, into, count, MSG_WAITALL) != (ssize_t)count) leave("the server closed the handshake");
}

static void open_export(struct connection *c, const struct sockaddr_in *to, const char *name) {
    uint8_t b[4096];
    uint32_t length = (uint32_t)strlen(name);
    int one = 1;
    c->socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->socket, (const struct sockaddr *)to, sizeof *to)) leave("cannot connect");
    receive(c->socket, b, 18);
    if (memcmp(b, "NBDMAGICIHAVEOPT", 16)) leave("not fixed newstyle");
    put32(b, 3), memcpy(b + 4, "IHAVEOPT", 8), put32(b + 12, 7), put32(b + 16, length + 6), put32(b + 20, length);
    memcpy(b + 24, name, length), put16(b + 24 + length, 0);
    if (send(c->socket, b, 26 + length, MSG_NOSIGNAL) < 0) leave("cannot send");
    for (;;) {
        receive(c->socket, b, 20);
        uint32_t type = get32(b + 12), count = get32(b + 16);
        if (count > sizeof b) leave("an option reply is too long");
        if (count) receive(c->socket, b, count);
        if (type == 1) return;
        if (type >> 31) leave("the export is refused");
        if (type == 3 && b[0] == 0 && b[1] == 0) c->size = get64(b + 2);
    }
}

// The words that later reads are checked by.
static void put_pattern(uint8_t *data, uint64_t offset, size_t count) {
    for (size_t at = 0; at < count; at += at % 4096 ? 8 : 4088) {
        uint64_t word = offset + at;
        memcpy(data + at, &word, 8);
    }
}

static void request_and_wait(int socket, int command, uint64_t offset, const uint8_t *data, uint32_t length) {
    uint8_t b[REQUEST];
    put32(b, 0x25609513), put16(b + 4, 0), put16(b + 6, (uint16_t)command), put64(b + 8, 0), put64(b + 16, offset);
    put32(b + 24, length);
    struct iovec parts[2] = {{b, REQUEST}, {(void *)data, length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    for (size_t left = REQUEST + length; left;) {
        ssize_t count = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (count < 0) leave("cannot send");
        left -= (size_t)count;
        for (int i = 0; i < 2; i++) {
            size_t part = (size_t)count < parts[i].iov_len ? (size_t)count : parts[i].iov_len;
            parts[i].iov_base = (uint8_t *)parts[i].iov_base + part, parts[i].iov_len -= part, count -= (ssize_t)part;
        }
    }
    receive(socket, b, REPLY);
    if (get32(b) != 0x67446698 || get32(b + 4)) leave("the export cannot be filled");
}

static void fill(struct connection *c, uint64_t bytes) {
    enum { PIECE = 1 << 20 };
    uint8_t *data = calloc(1, PIECE);
    for (uint64_t offset = 0; offset + PIECE <= bytes; offset += PIECE) {
        put_pattern(data, offset, PIECE);
        request_and_wait(c->socket, 1, offset, data, PIECE);
    }
    request_and_wait(c->socket, 3, 0, NULL, 0);
    c->size = bytes;
    free(data);
}

static void ask(struct connection *c, int slot) {
    if (finishing) return;
    struct request *r = &c->requests[slot];
    uint8_t *h = c->headers + slot * REQUEST;
    uint64_t blocks = c->size / block;
    uint32_t length = (uint32_t)block;
    r->command = is_write;
    r->offset = (is_random ? random_next() % blocks : c->next++ % blocks) * block;
    if (is_write && flush_every && c->since_flush++ >= flush_every)
        r->command = 3, r->offset = 0, length = 0, c->since_flush = 0;
    put32(h, 0x25609513), put16(h + 4, 0), put16(h + 6, (uint16_t)r->command), put64(h + 8, (uint64_t)slot);
    put64(h + 16, r->offset), put32(h + 24, length);
    c->parts[c->queued++] = (struct iovec){h, REQUEST};
    if (r->command == 1) {
        uint8_t *data = c->payload + (size_t)slot * block;
        put_pattern(data, r->offset, block);
        c->parts[c->queued++] = (struct iovec){data, block};
    }
    under_way++;
}

static void send_queued(struct connection *c) {
    struct iovec *part = c->parts;
    int left = c->queued;
    c->queued = 0;
    while (left) {
        ssize_t count = writev(c->socket, part, left > 512 ? 512 : left);
        if (count < 0) leave("cannot send");
        for (; left && (size_t)count >= part->iov_len; part++, left--) count -= (ssize_t)part->iov_len;
        if (left) part->iov_base = (uint8_t *)part->iov_base + count, part->iov_len -= (size_t)count;
    }
}

static int is_long(void) { return !is_write && block > 32768; }

static void finish(struct connection *c, int slot) {
    under_way--;
    if (!finishing && c->requests[slot].command != 3) operations++;
    ask(c, slot);
}

static void take_replies(struct connection *c) {
    size_t at = 0;
    if (c->tail_of) {
        int slot = c->tail_of - 1;
        if (c->have < 8) return;
        if (!follows_pattern(c->input, 8, c->requests[slot].offset + block - 8)) leave("wrong data");
        at = 8, c->tail_of = 0;
        finish(c, slot);
    }
    while (c->have - at >= REPLY) {
        uint8_t *p = c->input + at;
        uint64_t slot = get64(p + 8);
        if (get32(p) != 0x67446698 || slot >= (uint64_t)depth) leave("not a reply");
        if (get32(p + 4)) leave("a request failed");
        struct request *r = &c->requests[slot];
        size_t whole = REPLY + (r->command == 0 ? block : 0);
        size_t there = c->have - at;
        if (there < whole) {
            if (!is_long() || there < REPLY + 8 || there > whole - 8) break;
            if (!follows_pattern(p + REPLY, 8, r->offset)) leave("wrong data");
            c->dropped = whole - 8 - there, c->tail_of = (int)slot + 1, at = c->have;
            break;
        }
        if (r->command == 0 && (!follows_pattern(p + REPLY, 8, r->offset) ||
                                !follows_pattern(p + REPLY + block - 8, 8, r->offset + block - 8)))
            leave("wrong data");
        at += whole;
        finish(c, (int)slot);
    }
    memmove(c->input, c->input + at, c->have - at);
    c->have -= at;
    send_queued(c);
}

int main(int count, char **argument) {
    if (count != 11) leave("usage: see the first line of nbd_load.c");
    struct sockaddr_in to = address_of(argument[1], argument[2]);
    is_random = !strncmp(argument[4], "random", 6), is_write = strstr(argument[4], "write") != NULL;
    block = (size_t)atol(argument[5]), depth = atoi(argument[6]), flush_every = atoi(argument[9]);
    int connections = atoi(argument[7]), poller = epoll_create1(0);
    double seconds = atof(argument[8]);
    uint64_t filled = strtoull(argument[10], NULL, 10);
    struct connection *all = calloc((size_t)connections, sizeof *all);
    random_seed((uint64_t)(seconds_now() * 1e6));  // New places in every run, or a copy-on-write layer soon has them all.
    for (int i = 0; i < connections; i++) {
        struct connection *c = &all[i];
        open_export(c, &to, argument[3]);
        if (filled) fill(c, filled);
        c->input = malloc(ROOM), c->headers = malloc((size_t)depth * REQUEST);
        if (is_write) c->payload = malloc((size_t)depth * block), memset(c->payload, 0x5a, (size_t)depth * block);
        c->requests = calloc((size_t)depth, sizeof *c->requests), c->parts = calloc((size_t)depth * 2, sizeof *c->parts);
        c->next = c->size / block * (uint64_t)i / (uint64_t)connections;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, c->socket, &event);
    }
    double began = seconds_now(), lasted = 0;
    for (int i = 0; i < connections; i++) {
        for (int slot = 0; slot < depth; slot++) ask(&all[i], slot);
        send_queued(&all[i]);
    }
    // Every request is answered before the end: some servers fall over when clients leave in the middle.
    while (under_way) {
        struct epoll_event events[64];
        int ready = epoll_wait(poller, events, 64, 5000);
        if (ready <= 0) leave("the server answers no more");
        if (!finishing && seconds_now() - began >= seconds) lasted = seconds_now() - began, finishing = 1;
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->dropped) {
                ssize_t gone = recv(c->socket, NULL, c->dropped, MSG_TRUNC);
                if (gone <= 0) leave("the server closed a connection");
                c->dropped -= (size_t)gone;
                continue;
            }
            size_t room = is_long() ? 32 - c->have : ROOM - c->have < (256 << 10) + block ? ROOM - c->have : (256 << 10) + block;
            ssize_t got = recv(c->socket, c->input + c->have, room, 0);
            if (got <= 0) leave("the server closed a connection");
            c->have += (size_t)got;
            take_replies(c);
        }
    }
    double bytes = (double)operations * (double)block;
    printf("ops_s=%.1f mb_s=%.2f ops=%lu bytes=%.0f\n", (double)operations / lasted,
           bytes / lasted / 1e6, operations, bytes);
    return 0;
}
