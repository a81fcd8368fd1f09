// http_load HOST PORT PATH CONNECTIONS RANGE SECONDS: GET over kept connections; RANGE 0 asks for the whole file, else random
// aligned ranges of that size. Bodies are dropped in the kernel (MSG_TRUNC); the first one of each run is checked.
#include "load.h"

struct connection {
    int socket, in_body;
    uint64_t left, offset;
    char head[4096];
    int head_bytes;
};
static const char *path;
static uint64_t range, size, total, requests, checked;

static void ask(struct connection *c) {
    char text[512];
    int n;
    c->offset = 0;
    if (range && size) {
        c->offset = random_next() % (size / range) * range;
        n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: bench\r\nRange: bytes=%lu-%lu\r\n\r\n", path, c->offset, c->offset + range - 1);
    } else {
        n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: bench\r\n\r\n", "GET", path);
    }
    c->in_body = 0, c->head_bytes = 0;
    if (send(c->socket, text, (size_t)n, MSG_NOSIGNAL) != n) leave("cannot send");
}

/// Reads what is there; true when a reply was finished and the next asked for.
static int progress(struct connection *c) {
    static uint8_t body[1 << 20];
    if (!c->in_body) {
        ssize_t n = recv(c->socket, c->head, sizeof c->head - 1, MSG_PEEK | MSG_DONTWAIT);
        if (n == 0) leave("the server closed");
        if (n < 0) return 0;
        c->head[n] = 0;
        char *end = strstr(c->head, "\r\n\r\n");
        if (!end) return 0;
        recv(c->socket, body, (size_t)(end + 4 - c->head), 0);
        char *length = strcasestr(c->head, "\r\ncontent-length:");
        if (!length || c->head[9] != '2') leave(c->head);
        c->left = strtoull(length + 17, 0, 10), c->in_body = 1;
    }
    while (c->left) {
        size_t want = c->left < sizeof body ? c->left : sizeof body;
        int check = checked < 4 << 20;
        ssize_t n = recv(c->socket, body, want, MSG_DONTWAIT | (check ? 0 : MSG_TRUNC));
        if (n == 0) leave("the server closed within a body");
        if (n < 0) return 0;
        if (check && !follows_pattern(body, (size_t)n, c->offset)) leave("the data differs from the file");
        checked += (uint64_t)n, c->left -= (uint64_t)n, c->offset += (uint64_t)n, total += (uint64_t)n;
    }
    requests++;
    ask(c);
    return 1;
}

int main(int count, char **arguments) {
    if (count != 7) leave("http_load HOST PORT PATH CONNECTIONS RANGE SECONDS");
    struct sockaddr_in server = address_of(arguments[1], arguments[2]);
    path = arguments[3], range = strtoull(arguments[5], 0, 10);
    int connections = atoi(arguments[4]), epoll = epoll_create1(0), one = 1;
    struct connection *all = calloc((size_t)connections, sizeof *all);
    for (int i = 0; i < connections; i++) {
        all[i].socket = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(all[i].socket, (void *)&server, sizeof server)) leave("cannot connect");
        setsockopt(all[i].socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].socket, &e);
    }
    if (range) {
        char text[512], reply[4096];
        int n = snprintf(text, sizeof text, "HEAD %s HTTP/1.1\r\nHost: bench\r\n\r\n", path);
        send(all[0].socket, text, (size_t)n, 0);
        ssize_t got = recv(all[0].socket, reply, sizeof reply - 1, 0);
        reply[got > 0 ? got : 0] = 0;
        char *length = strcasestr(reply, "\r\ncontent-length:");
        if (!length) leave("HEAD without Content-Length");
        size = strtoull(length + 17, 0, 10);
    }
    double start = seconds_now(), now = start, end = start + atof(arguments[6]);
    for (int i = 0; i < connections; i++) ask(&all[i]);
    while (now < end) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, 64, 2000);
        if (ready == 0) leave("stalled for 2 s");
        for (int i = 0; i < ready; i++) progress(events[i].data.ptr);
        now = seconds_now();
    }
    printf("mb_s=%.1f req_s=%.0f bytes=%lu requests=%lu\n", (double)total / (now - start) / 1e6, (double)requests / (now - start), total, requests);
}
