// usage: nfs_load ADDRESS NFS_PORT MOUNT_PORT EXPORT WORK FILE BLOCK DEPTH CONNECTIONS SECONDS [3|4]
// WORK: getattr, lookup, access, random-read, sequential-read (of FILE below the export), walk (READDIRPLUS of the whole
// export, then ACCESS and READ of each file) or change (CREATE, WRITE of 4 KiB, RENAME and REMOVE in the directory FILE).
// Speaks NFS version 3, or 4.1 with a session for each connection, as root, keeps DEPTH calls under way on each connection and prints one line. Reads of a file
// whose words hold their own offset are checked at both ends.
#include "nfs_wire.h"

enum { GETATTR = 1, LOOKUP = 3, ACCESS = 4, READ = 6, WRITE = 7, CREATE = 8, REMOVE = 12, RENAME = 14, LIST = 17 };

// A file or directory that a walk has still to visit.
struct place {
    struct place *next;
    struct handle handle;
    int is_directory;
    uint64_t size, at, cookie, verifier;
};
static int depth, finishing, walking, changing, procedure, is_random, version = 3;
static size_t block;
static uint64_t size, under_way, operations, files;
static struct handle top, folder, file;
static char leaf[256];
static struct place *to_visit;

static void visit_later(const struct handle *h, int is_directory, uint64_t bytes) {
    struct place *p = calloc(1, sizeof *p);
    p->handle = *h, p->is_directory = is_directory, p->size = bytes, p->next = to_visit, to_visit = p;
}

static uint32_t old_name(struct connection *c, int number, char *name) {
    return (uint32_t)sprintf(name, "a%d-%d-%d-%u", getpid(), c->index, number, c->slots[number].number);
}
static uint32_t new_name(struct connection *c, int number, char *name) {
    return (uint32_t)sprintf(name, "b%d-%d-%d-%u", getpid(), c->index, number, c->slots[number].number);
}

#include "nfs_compound.h"

static void ask3(struct connection *c, int number) {
    struct slot *s = &c->slots[number];
    uint32_t xid = (uint32_t)number;
    if (walking) {
        struct place *p = s->place;
        begin_call(c, xid, 100003, 3, p->is_directory ? LIST : s->step ? READ : ACCESS), put_handle(&p->handle);
        if (p->is_directory) put64(p->cookie), put64(0), put32(8192), put32(65536);
        else if (s->step) put64(p->at), put32(1 << 18);
        else put32(63);
    } else if (changing) {
        char name[64], other[64];
        uint32_t n = old_name(c, number, name), m = new_name(c, number, other);
        static const int steps[] = {CREATE, WRITE, RENAME, REMOVE};
        static const uint8_t data[4096];
        begin_call(c, xid, 100003, 3, (uint32_t)steps[s->step]);
        if (s->step == 1) put_handle(&s->made), put64(0), put32(4096), put32(0), put_opaque(data, 4096);
        else if (s->step == 3) put_handle(&file), put_opaque(other, m);
        else put_handle(&file), put_opaque(name, n);
        if (s->step == 0) for (int i = 0; i < 7; i++) put32(0);
        if (s->step == 2) put_handle(&file), put_opaque(other, m);
    } else {
        begin_call(c, xid, 100003, 3, (uint32_t)procedure), put_handle(procedure == LOOKUP ? &folder : &file);
        if (procedure == LOOKUP) put_opaque(leaf, (uint32_t)strlen(leaf));
        if (procedure == ACCESS) put32(63);
        if (procedure == READ) put64(s->offset), put32((uint32_t)block);
    }
}

static void ask(struct connection *c, int number) {
    struct slot *s = &c->slots[number];
    if (finishing && !(changing && s->step)) return;
    if (walking && !s->place) {
        if (!to_visit) return;
        s->place = to_visit, to_visit = s->place->next, s->step = 0;
    }
    s->busy = 1, under_way++;
    if (c->queued > ROOM / 2) send_queued(c);
    if (changing && !s->step) s->number++;
    if (!walking && !changing && procedure == READ)
        s->offset = (is_random ? random_next() % (size / block) : c->next++ % (size / block)) * block;
    if (version == 4) ask4(c, number);
    else ask3(c, number);
    end_call(c);
}

static void take_listing(struct place *p) {
    get_attributes(NULL), take(8);
    while (get32()) {
        uint32_t count, type;
        struct handle h = {0};
        uint64_t bytes = 0;
        get64();
        const uint8_t *name = get_opaque(&count);
        p->cookie = get64(), type = get_attributes(&bytes);
        if (get32()) get_handle(&h);
        if ((count == 1 && name[0] == '.') || (count == 2 && name[0] == '.' && name[1] == '.')) continue;
        if (type == 2 || type == 1) visit_later(&h, type == 2, bytes);
    }
}

static void take_reply(struct connection *c) {
    uint32_t xid;
    memcpy(&xid, in, 4), xid = be32toh(xid);
    if (xid >= (uint32_t)depth || !c->slots[xid].busy) leave("a reply to nothing");
    struct slot *s = &c->slots[xid];
    expect_accepted();
    if (version == 4) take_head4();
    else if (get32()) leave("a call failed");
    s->busy = 0, under_way--;
    if (!finishing) operations++;
    if (walking) {
        struct place *p = s->place;
        int done;
        if (p->is_directory) (version == 4 ? take_listing4 : take_listing)(p), done = (int)get32();
        else if (s->step) p->at += 1 << 18, done = p->at >= p->size;
        else s->step = 1, done = p->size == 0;
        if (done) files += !p->is_directory, s->place = NULL, free(p);
    } else if (changing) {
        if (s->step == 0 && version == 4) take_open4(s);
        else if (s->step == 0 && get32()) get_handle(&s->made);
        s->step = (s->step + 1) & 3;
    } else if (procedure == READ) {
        if (version == 4) take_read4();
        else get_attributes(NULL), take(12);
        const uint8_t *data = take(block);
        if (!follows_pattern(data, 8, s->offset) || !follows_pattern(data + block - 8, 8, s->offset + block - 8))
            leave("wrong data");
    }
    ask(c, (int)xid);
}

static void find(struct connection *c, const char *path) {
    char rest[1024], *save;
    snprintf(rest, sizeof rest, "%s", path);
    file = folder = top;
    for (char *name = strtok_r(rest, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
        folder = file, snprintf(leaf, sizeof leaf, "%s", name);
        if (version == 4) {
            look_up4(c, &folder, name, &file);
            continue;
        }
        begin_call(c, 0, 100003, 3, LOOKUP), put_handle(&folder), put_opaque(name, (uint32_t)strlen(name));
        wait_for_reply(c), get_handle(&file), get_attributes(&size);
    }
}

int main(int count, char **argument) {
    if (count == 12) version = atoi(argument[11]);
    if (count < 11 || count > 12) leave("usage: see the first lines of nfs_load.c");
    const char *work = argument[5];
    walking = !strcmp(work, "walk"), changing = !strcmp(work, "change"), is_random = !strcmp(work, "random-read");
    procedure = !strcmp(work, "getattr") ? GETATTR : !strcmp(work, "lookup") ? LOOKUP : !strcmp(work, "access") ? ACCESS : READ;
    block = (size_t)atol(argument[7]), depth = atoi(argument[8]);
    int connections = atoi(argument[9]), poller = epoll_create1(0);
    double seconds = atof(argument[10]), lasted = 0;
    struct connection *all = calloc((size_t)connections, sizeof *all);
    for (int i = 0; i < connections; i++) {
        struct connection *c = &all[i];
        c->index = i, c->input = malloc(ROOM), c->output = malloc(ROOM), c->slots = calloc((size_t)depth, sizeof *c->slots);
        if (i == 0 && version == 3) {
            c->socket = connected(argument[1], argument[3]);
            begin_call(c, 0, 100005, 3, 1), put_opaque(argument[4], (uint32_t)strlen(argument[4])), wait_for_reply(c);
            get_handle(&top), close(c->socket);
        }
        c->socket = connected(argument[1], argument[2]);
        if (version == 4) begin_session(c);
        if (i == 0 && version == 4) find(c, argument[4]), top = file;
        if (i == 0) find(c, argument[6]);
        c->next = size / block * (uint64_t)i / (uint64_t)connections;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, c->socket, &event);
    }
    double began = seconds_now();
    if (walking) visit_later(&top, 1, 0);
    for (int i = 0; i < connections; i++) {
        for (int slot = 0; slot < depth; slot++) ask(&all[i], slot);
        send_queued(&all[i]);
    }
    while (under_way) {
        struct epoll_event events[64];
        int ready = epoll_wait(poller, events, 64, 5000);
        if (ready <= 0) leave("the server answers no more");
        int is_over = seconds_now() - began >= seconds;
        if (is_over && !finishing && !walking) lasted = seconds_now() - began, finishing = 1;
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            size_t room = ROOM - c->have < (256 << 10) + block ? ROOM - c->have : (256 << 10) + block, at = 0, body, whole;
            ssize_t got = recv(c->socket, c->input + c->have, room, 0);
            if (got <= 0) leave("the server closed a connection");
            c->have += (size_t)got;
            while ((whole = record(c, at, &body))) {
                in = c->input + at + 4, in_end = in + body, at += whole;
                take_reply(c);
            }
            memmove(c->input, c->input + at, c->have - at), c->have -= at;
            // A walk goes on from the top until the time is over.
            if (walking && !under_way && !to_visit && !is_over) visit_later(&top, 1, 0);
            for (int slot = 0; walking && to_visit && slot < depth; slot++)
                if (!c->slots[slot].busy) ask(c, slot);
            send_queued(c);
        }
    }
    if (!finishing) lasted = seconds_now() - began;
    double bytes = procedure == READ && !walking && !changing ? (double)operations * (double)block : 0;
    printf("ops_s=%.0f ops=%lu mb_s=%.1f bytes=%.0f files_s=%.0f files=%lu\n",
           (double)operations / lasted, operations, bytes / lasted / 1e6, bytes, (double)files / lasted, files);
}
