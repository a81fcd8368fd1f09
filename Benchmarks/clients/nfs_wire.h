// What both versions of the NFS load client share: XDR, calls and records on a connection.
#pragma once
#include "load.h"
#include <endian.h>

enum { ROOM = 8 << 20 };

struct handle {
    uint32_t count;
    uint8_t bytes[128];
};
struct place;
struct slot {
    int busy, step;
    uint64_t offset;
    unsigned number;
    struct handle made;
    struct place *place;
    // Version 4.1: the number of the slot's last request, and the file that it has open.
    uint32_t sequence;
    uint8_t state[16];
};
struct connection {
    int socket, index;
    size_t have, queued;
    uint64_t next;
    uint8_t *input, *output;
    struct slot *slots;
    // Version 4.1.
    uint8_t session[16];
    uint64_t client;
};

static uint8_t *out;
static const uint8_t *in, *in_end;

static void put32(uint32_t v) { v = htobe32(v), memcpy(out, &v, 4), out += 4; }
static void put64(uint64_t v) { v = htobe64(v), memcpy(out, &v, 8), out += 8; }
static void put_opaque(const void *bytes, uint32_t count) {
    put32(count), memcpy(out, bytes, count), memset(out + count, 0, 3), out += (count + 3) & ~3u;
}
static void put_handle(const struct handle *h) { put_opaque(h->bytes, h->count); }
static const uint8_t *take(size_t count) {
    if ((size_t)(in_end - in) < count) leave("a reply is too short");
    return (in += count) - count;
}
static uint32_t get32(void) { uint32_t v; memcpy(&v, take(4), 4); return be32toh(v); }
static uint64_t get64(void) { uint64_t v; memcpy(&v, take(8), 8); return be64toh(v); }
static const uint8_t *get_opaque(uint32_t *count) { *count = get32(); return take((*count + 3) & ~3u); }
static void get_handle(struct handle *h) {
    const uint8_t *bytes = get_opaque(&h->count);
    if (h->count > sizeof h->bytes) leave("a handle is too long");
    memcpy(h->bytes, bytes, h->count);
}
// Optional attributes: the type, 0 without; the size where it is wanted.
static uint32_t get_attributes(uint64_t *bytes) {
    if (!get32()) return 0;
    const uint8_t *a = take(84);
    uint32_t type;
    memcpy(&type, a, 4);
    if (bytes) memcpy(bytes, a + 20, 8), *bytes = be64toh(*bytes);
    return be32toh(type);
}

static void begin_call(struct connection *c, uint32_t xid, uint32_t program, uint32_t version, uint32_t number) {
    out = c->output + c->queued + 4;
    put32(xid), put32(0), put32(2), put32(program), put32(version), put32(number);
    put32(1), put32(28), put32(0), put_opaque("bench", 5), put32(0), put32(0), put32(0), put32(0), put32(0);
}
static void end_call(struct connection *c) {
    uint8_t *end = out;
    out = c->output + c->queued;
    put32(0x80000000u | (uint32_t)(end - out - 4));
    c->queued = (size_t)(end - c->output);
}
static void send_queued(struct connection *c) {
    for (size_t at = 0; at < c->queued;) {
        ssize_t count = send(c->socket, c->output + at, c->queued - at, MSG_NOSIGNAL);
        if (count <= 0) leave("cannot send");
        at += (size_t)count;
    }
    c->queued = 0;
}
// The length of the record at `at` with its marks, 0 while it is not whole; several fragments are joined in place.
static size_t record(struct connection *c, size_t at, size_t *body) {
    size_t from = at, to = at + 4;
    for (int last = 0; !last;) {
        uint32_t mark;
        if (c->have - from < 4) return 0;
        memcpy(&mark, c->input + from, 4), mark = be32toh(mark), last = mark >> 31, mark &= 0x7fffffff;
        if (c->have - from - 4 < mark) return 0;
        if (!last || from != at) {
            // Only a record that is whole is joined.
            size_t end = from;
            for (uint32_t m = 0; !(m >> 31); end += 4 + (m & 0x7fffffff)) {
                if (c->have - end < 4) return 0;
                memcpy(&m, c->input + end, 4), m = be32toh(m);
                if (c->have - end - 4 < (m & 0x7fffffff)) return 0;
            }
        }
        if (to != from + 4) memmove(c->input + to, c->input + from + 4, mark);
        to += mark, from += 4 + mark;
    }
    *body = to - at - 4;
    return from - at;
}
static void expect_accepted(void) {
    take(4);
    if (get32() != 1 || get32() != 0) leave("the call is denied");
    uint32_t count;
    get32(), get_opaque(&count);
    if (get32()) leave("the call is not done");
}
// One call and its reply; `in` stands at the results.
static void wait_for_reply(struct connection *c) {
    size_t body;
    end_call(c), send_queued(c), c->have = 0;
    while (!record(c, 0, &body)) {
        ssize_t got = recv(c->socket, c->input + c->have, ROOM - c->have, 0);
        if (got <= 0) leave("the server closed a connection");
        c->have += (size_t)got;
    }
    in = c->input + 4, in_end = in + body, c->have = 0;
    expect_accepted();
    if (get32()) leave("mounting or looking up failed");
}
static int connected(const char *host, const char *port) {
    struct sockaddr_in to = address_of(host, port);
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(s, (const struct sockaddr *)&to, sizeof to)) leave("cannot connect");
    return s;
}
