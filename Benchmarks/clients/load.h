// Shared by the load clients: time, random numbers, sockets, leaving with one line.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void leave(const char *reason) {
    fprintf(stderr, "%s\n", reason);
    exit(1);
}

static uint64_t random_state = 88172645463325252ull;

static inline uint64_t random_next(void) {
    random_state ^= random_state << 13, random_state ^= random_state >> 7, random_state ^= random_state << 17;
    return random_state;
}

/// Other numbers for another seed.
static inline void random_seed(uint64_t seed) {
    random_state = (seed * 0x9e3779b97f4a7c15ull) | 1;
}

static inline struct sockaddr_in address_of(const char *host, const char *port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1) leave("the host must be an IPv4 address");
    return a;
}

/// Whether every aligned 8-byte word of `data`, which lies at `offset` of the file, holds its own offset.
static inline int follows_pattern(const uint8_t *data, size_t count, uint64_t offset) {
    for (size_t i = (8 - offset % 8) % 8; i + 8 <= count; i += 8) {
        uint64_t word;
        memcpy(&word, data + i, 8);
        if (word != offset + i) return 0;
    }
    return 1;
}
