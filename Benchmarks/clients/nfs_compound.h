// NFS version 4.1 for nfs_load.c: a session for each connection, and the compounds that clients send for the same work
// (RFC 8881). Part of that file: it uses its variables.
#pragma once

enum {
    OP_ACCESS = 3, OP_CLOSE = 4, OP_GETATTR = 9, OP_GETFH = 10, OP_LOOKUP = 15, OP_OPEN = 18, OP_PUTFH = 22, OP_PUTROOTFH = 24,
    OP_READ = 25, OP_READDIR = 26, OP_REMOVE = 28, OP_RENAME = 29, OP_SAVEFH = 32, OP_WRITE = 38, OP_EXCHANGE_ID = 42,
    OP_CREATE_SESSION = 43, OP_SEQUENCE = 53, OP_RECLAIM_COMPLETE = 58
};

static uint8_t *operations_at;
static uint32_t operations_put;

static void put_operation(uint32_t number) {
    uint8_t *end = out;
    out = operations_at, put32(++operations_put), out = end;
    put32(number);
}
static void begin_compound(struct connection *c, uint32_t xid) {
    begin_call(c, xid, 100003, 4, 1);
    put32(0), put32(1), operations_at = out, operations_put = 0, put32(0);
}
static void put_bytes(const void *bytes, size_t count) { memcpy(out, bytes, count), out += count; }
// A compound of the session, in the slot of this number, up to the handle that it is about.
static void begin_request(struct connection *c, int number, const struct handle *about) {
    begin_compound(c, (uint32_t)number);
    put_operation(OP_SEQUENCE), put_bytes(c->session, 16), put32(++c->slots[number].sequence), put32((uint32_t)number);
    put32((uint32_t)depth - 1), put32(0);
    if (about) put_operation(OP_PUTFH), put_handle(about);
    else put_operation(OP_PUTROOTFH);
}
// What clients ask of a file that they show: kind, change, size, file system, number; mode, links, owners, room, times.
static void put_getattr(void) { put_operation(OP_GETATTR), put32(2), put32(0x0010011a), put32(0x00b0a23a); }

static void take_operation(uint32_t number) {
    if (get32() != number || get32()) leave("an operation failed");
}
// Up to what follows the handle.
static void take_head4(void) {
    uint32_t count;
    if (get32()) leave("a compound failed");
    get_opaque(&count), get32(), take_operation(OP_SEQUENCE), take(36), take_operation(OP_PUTFH);
}
static void skip_bitmap(void) {
    for (uint32_t words = get32(); words; words--) get32();
}
// wait_for_reply takes the status of the whole already.
static void wait_for_operations(struct connection *c) {
    uint32_t count;
    wait_for_reply(c), get_opaque(&count), get32();
}

static void begin_session(struct connection *c) {
    char name[64];
    begin_compound(c, 0), put_operation(OP_EXCHANGE_ID), put64((uint64_t)(seconds_now() * 1e9));
    put_opaque(name, (uint32_t)sprintf(name, "bench-%d-%d", getpid(), c->index)), put32(0), put32(0), put32(0);
    wait_for_operations(c), take_operation(OP_EXCHANGE_ID), c->client = get64();
    uint32_t sequence = get32();
    begin_compound(c, 0), put_operation(OP_CREATE_SESSION), put64(c->client), put32(sequence), put32(0);
    for (int back = 0; back < 2; back++) {
        uint32_t longest = back ? 4096 : 2 << 20;
        put32(0), put32(longest), put32(longest), put32(back ? 0 : 4096), put32(16), put32(back ? 1 : (uint32_t)depth), put32(0);
    }
    put32(0x40000000), put32(1), put32(0);
    wait_for_operations(c), take_operation(OP_CREATE_SESSION), memcpy(c->session, take(16), 16), take(8 + 20);
    uint32_t slots = get32();
    if (slots < (uint32_t)depth) depth = (int)slots;
    begin_compound(c, 0), put_operation(OP_SEQUENCE), put_bytes(c->session, 16), put32(++c->slots[0].sequence), put32(0);
    put32((uint32_t)depth - 1), put32(0), put_operation(OP_RECLAIM_COMPLETE), put32(0), wait_for_operations(c);
}

// A name in a directory, or in the server's topmost one where that has no handle yet.
static void look_up4(struct connection *c, const struct handle *directory, const char *name, struct handle *found) {
    begin_request(c, 0, directory->count ? directory : NULL);
    put_operation(OP_LOOKUP), put_opaque(name, (uint32_t)strlen(name)), put_operation(OP_GETFH);
    put_operation(OP_GETATTR), put32(1), put32(1 << 4);
    uint32_t about = directory->count ? OP_PUTFH : OP_PUTROOTFH;
    wait_for_operations(c), take_operation(OP_SEQUENCE), take(36), take_operation(about), take_operation(OP_LOOKUP);
    take_operation(OP_GETFH), get_handle(found);
    take_operation(OP_GETATTR), skip_bitmap(), take(4), size = get64();
}

static void put_read(uint64_t offset, uint32_t count) {
    static const uint8_t nobody[16];
    put_operation(OP_READ), put_bytes(nobody, 16), put64(offset), put32(count);
}

static void put_change(struct connection *c, int number) {
    struct slot *s = &c->slots[number];
    static const uint8_t data[4096];
    char name[64], other[64];
    uint32_t n = old_name(c, number, name), m = new_name(c, number, other);
    begin_request(c, number, s->step == 1 ? &s->made : &file);
    switch (s->step) {
    case 0:
        // For writing, without a delegation; the owner is named as the file; mode 0644.
        put_operation(OP_OPEN), put32(0), put32(0x402), put32(0), put64(c->client), put_opaque(name, n);
        put32(1), put32(0), put32(2), put32(0), put32(2), put32(4), put32(0644);
        put32(0), put_opaque(name, n), put_operation(OP_GETFH);
        break;
    case 1:
        put_operation(OP_WRITE), put_bytes(s->state, 16), put64(0), put32(0), put_opaque(data, 4096);
        put_operation(OP_CLOSE), put32(0), put_bytes(s->state, 16);
        break;
    case 2:
        put_operation(OP_SAVEFH), put_operation(OP_RENAME), put_opaque(name, n), put_opaque(other, m);
        break;
    default: put_operation(OP_REMOVE), put_opaque(other, m);
    }
}

static void ask4(struct connection *c, int number) {
    struct slot *s = &c->slots[number];
    if (changing) {
        put_change(c, number);
        return;
    }
    struct place *p = s->place;
    begin_request(c, number, walking ? &p->handle : procedure == LOOKUP ? &folder : &file);
    if (!walking) {
        if (procedure == LOOKUP) put_operation(OP_LOOKUP), put_opaque(leaf, (uint32_t)strlen(leaf)), put_operation(OP_GETFH);
        if (procedure == ACCESS) put_operation(OP_ACCESS), put32(63);
        if (procedure == READ) put_read(s->offset, (uint32_t)block);
        else put_getattr();
    } else if (p->is_directory) {
        // Kind, size and handle of each entry.
        put_operation(OP_READDIR), put64(p->cookie), put64(p->verifier), put32(8192), put32(65536);
        put32(1), put32(1 << 1 | 1 << 4 | 1 << 19);
    } else if (s->step) put_read(p->at, 1 << 18);
    else put_operation(OP_ACCESS), put32(63), put_getattr();
}

static void take_listing4(struct place *p) {
    take_operation(OP_READDIR), p->verifier = get64();
    while (get32()) {
        uint32_t count;
        p->cookie = get64(), get_opaque(&count), skip_bitmap();
        const uint8_t *attributes = get_opaque(&count), *behind = in;
        in = attributes;
        uint32_t type = get32();
        uint64_t bytes = get64();
        struct handle h;
        get_handle(&h), in = behind;
        if (type == 2 || type == 1) visit_later(&h, type == 2, bytes);
    }
}
static void take_open4(struct slot *s) {
    take_operation(OP_OPEN), memcpy(s->state, take(16), 16), take(20 + 4), skip_bitmap();
    uint32_t kind = get32();
    // OPEN_DELEGATE_NONE_EXT says why, and in two cases a word more.
    if (kind == 3) kind = get32(), kind == 1 || kind == 2 ? get32() : 0;
    else if (kind) leave("a delegation that was not wanted");
    take_operation(OP_GETFH), get_handle(&s->made);
}
static void take_read4(void) { take_operation(OP_READ), take(8); }
