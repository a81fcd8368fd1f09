// dns_load HOST PORT NAMES DEPTH SECONDS: asks for the A record of n0.lab.example … by UDP, DEPTH questions under way.
// Every answer must be the address that belongs to the name.
#include "load.h"

static int build(uint8_t *p, uint16_t id, int number) {
    memset(p, 0, 12);
    p[0] = (uint8_t)(id >> 8), p[1] = (uint8_t)id, p[2] = 1, p[5] = 1;
    int at = 12;
    int n = sprintf((char *)p + at + 1, "n%d", number);
    p[at] = (uint8_t)n, at += n + 1;
    memcpy(p + at, "\3lab\7example\0\0\1\0\1", 17);
    return at + 17;
}

int main(int count, char **words) {
    if (count != 6) leave("usage: dns_load HOST PORT NAMES DEPTH SECONDS");
    struct sockaddr_in server = address_of(words[1], words[2]);
    int names = atoi(words[3]), depth = atoi(words[4]);
    double limit = atof(words[5]);
    if (depth < 1 || depth > 1024 || names < 1 || names > 60000) leave("DEPTH is 1 to 1024, NAMES 1 to 60000");
    int s = socket(AF_INET, SOCK_DGRAM, 0), room = 4 << 20;
    setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    struct timeval patience = {.tv_usec = 200000};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(s, (void *)&server, sizeof server)) leave("cannot connect");
    static int asked[65536];
    memset(asked, -1, sizeof asked);
    uint16_t id = 0;
    uint64_t answers = 0, lost = 0;
    uint8_t packet[1500];
    double begin = seconds_now(), now = begin;
    for (int i = 0; i < depth; i++, id++) {
        asked[id] = (int)(random_next() % (uint64_t)names);
        send(s, packet, (size_t)build(packet, id, asked[id]), 0);
    }
    while ((now = seconds_now()) - begin < limit) {
        ssize_t n = recv(s, packet, sizeof packet, 0);
        if (n < 0) {
            // All of those under way are lost: begin again.
            lost += (uint64_t)depth;
            memset(asked, -1, sizeof asked);
            for (int i = 0; i < depth; i++, id++) {
                asked[id] = (int)(random_next() % (uint64_t)names);
                send(s, packet, (size_t)build(packet, id, asked[id]), 0);
            }
            continue;
        }
        uint16_t got = (uint16_t)(packet[0] << 8 | packet[1]);
        int number = asked[got];
        if (n < 16 || number < 0) continue;
        // The address stands at the end of the only answer, before an OPT record that nobody asked for.
        uint32_t wanted = (10u << 24) | (98u << 16) | (uint32_t)(number + 256), found;
        if ((packet[3] & 15) || packet[7] != 1) leave("a name was not answered");
        memcpy(&found, packet + n - 4, 4);
        if (ntohl(found) != wanted) leave("a name was answered with another's address");
        asked[got] = -1, answers++;
        asked[id] = (int)(random_next() % (uint64_t)names);
        send(s, packet, (size_t)build(packet, id, asked[id]), 0);
        id++;
    }
    printf("per_s=%.0f answers=%llu lost=%llu\n", (double)answers / (now - begin), (unsigned long long)answers, (unsigned long long)lost);
}
