// tftp_load HOST PORT FILE CLIENTS BLKSIZE WINDOW SECONDS: that many clients read FILE again and again.
#include "load.h"

struct client {
    int socket, connected, negotiated, in_window, gap_told;
    uint64_t next, received;
    double heard;
};
static struct sockaddr_in server;
static const char *file;
static int block_size, window, epoll, granted_block = 512, granted_window = 1;
static uint64_t total, transfers, retries;

static void acknowledge(struct client *c, uint64_t block) {
    uint8_t packet[4] = {0, 4, (uint8_t)(block >> 8), (uint8_t)block};
    send(c->socket, packet, 4, 0);
}

static void begin(struct client *c, double now) {
    if (c->socket > 0) close(c->socket);
    memset(c, 0, sizeof *c);
    c->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int room = 4 << 20;
    setsockopt(c->socket, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->socket, &e);
    c->next = 1, c->heard = now;
    char request[512] = {0, 1};
    int n = 2 + sprintf(request + 2, "%s%coctet%cblksize%c%d%ctsize%c0", file, 0, 0, 0, block_size, 0, 0) + 1;
    if (window > 1) n += sprintf(request + n, "windowsize%c%d", 0, window) + 1;
    sendto(c->socket, request, (size_t)n, 0, (void *)&server, sizeof server);
}

/// Takes one packet; true when it ended the transfer.
static int take(struct client *c, const uint8_t *p, int n, double now) {
    if (n < 4) return 0;
    c->heard = now;
    if (p[1] == 5) leave("the server refused the file");
    if (p[1] == 6 && !c->negotiated) {
        c->negotiated = 1;
        for (const char *o = (const char *)p + 2, *end = (const char *)p + n; o < end;) {
            const char *value = o + strlen(o) + 1;
            if (!strcasecmp(o, "blksize")) granted_block = atoi(value);
            if (!strcasecmp(o, "windowsize")) granted_window = atoi(value);
            o = value + strlen(value) + 1;
        }
        acknowledge(c, 0);
    }
    if (p[1] != 3) return 0;
    c->negotiated = 1;
    uint16_t block = (uint16_t)(p[2] << 8 | p[3]);
    if (block != (uint16_t)c->next) {
        if ((uint16_t)(block - c->next) < 0x8000 && !c->gap_told) c->gap_told = 1, c->in_window = 0, acknowledge(c, c->next - 1);
        return 0;
    }
    if (!follows_pattern(p + 4, (size_t)n - 4, c->received)) leave("the data differs from the file");
    c->gap_told = 0, c->next++, c->received += (uint64_t)n - 4, total += (uint64_t)n - 4;
    if (n - 4 < granted_block) return acknowledge(c, block), transfers++, 1;
    if (++c->in_window >= granted_window) c->in_window = 0, acknowledge(c, block);
    return 0;
}

int main(int count, char **arguments) {
    if (count != 8) leave("tftp_load HOST PORT FILE CLIENTS BLKSIZE WINDOW SECONDS");
    server = address_of(arguments[1], arguments[2]), file = arguments[3];
    int clients = atoi(arguments[4]);
    block_size = atoi(arguments[5]), window = atoi(arguments[6]), epoll = epoll_create1(0);
    struct client *all = calloc((size_t)clients, sizeof *all);
    enum { BATCH = 64 };
    static uint8_t buffers[BATCH][65536];
    struct mmsghdr messages[BATCH] = {0};
    struct iovec vectors[BATCH];
    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){buffers[i], sizeof buffers[i]};
        messages[i].msg_hdr.msg_iov = &vectors[i], messages[i].msg_hdr.msg_iovlen = 1;
    }
    double start = seconds_now(), now = start, end = start + atof(arguments[7]), looked = start;
    for (int i = 0; i < clients; i++) begin(&all[i], now);
    while (now < end) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, 64, 20);
        now = seconds_now();
        for (int i = 0; i < ready; i++) {
            struct client *c = events[i].data.ptr;
            int ended = 0;
            if (!c->connected) {
                struct sockaddr_in from;
                socklen_t length = sizeof from;
                ssize_t n = recvfrom(c->socket, buffers[0], sizeof buffers[0], 0, (void *)&from, &length);
                if (n < 0) continue;
                connect(c->socket, (void *)&from, length), c->connected = 1;
                ended = take(c, buffers[0], (int)n, now);
            } else {
                int n = recvmmsg(c->socket, messages, BATCH, MSG_DONTWAIT, 0);
                for (int j = 0; j < n && !ended; j++) ended = take(c, buffers[j], (int)messages[j].msg_len, now);
            }
            if (ended) begin(c, now);
        }
        if (now - looked < .1) continue;
        looked = now;
        for (int i = 0; i < clients; i++)
            if (now - all[i].heard > 1) {
                retries++;
                if (all[i].negotiated) all[i].heard = now, all[i].gap_told = 0, all[i].in_window = 0, acknowledge(&all[i], all[i].next - 1);
                else begin(&all[i], now);
            }
    }
    for (int i = 0; i < clients; i++)
        if (all[i].connected) send(all[i].socket, "\0\5\0\0stop", 9, 0);
    printf("mb_s=%.1f bytes=%lu transfers=%lu retries=%lu window=%d\n", (double)total / (now - start) / 1e6, total, transfers, retries, granted_window);
}
