// dhcp_load SERVER RELAY CLIENTS WINDOW PXE SECONDS: plays a relay agent at address RELAY behind which CLIENTS machines get
// addresses, WINDOW of them at once; each DISCOVER, OFFER, REQUEST, ACK counts once. PXE 1: as firmware asks.
#include <poll.h>
#include "load.h"

enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5, NAK = 6, SLOTS = 4096 };
struct exchange {
    uint32_t transaction, machine, offered, chosen;
    int waits_for, tries;
    double asked;
};
static struct exchange exchanges[SLOTS];
static struct sockaddr_in server, relay;
static int wire, clients, window, pxe;
static uint32_t next_machine, next_transaction;
static uint64_t done, repeated, refused;

static uint8_t *option(uint8_t *at, uint8_t code, uint8_t count, const void *value) {
    at[0] = code, at[1] = count;
    memcpy(at + 2, value, count);
    return at + 2 + count;
}

static void ask(struct exchange *x) {
    uint8_t packet[400] = {1, 1, 6, 1}, *at = packet + 240;
    uint8_t type = x->waits_for == OFFER ? DISCOVER : REQUEST;
    uint32_t machine = htonl(x->machine);
    memcpy(packet + 4, &x->transaction, 4);
    memcpy(packet + 24, &relay.sin_addr, 4);
    packet[28] = 2, packet[29] = 0xd1;
    memcpy(packet + 30, &machine, 4);
    memcpy(packet + 236, "\x63\x82\x53\x63", 4);
    at = option(at, 53, 1, &type);
    uint8_t identifier[7] = {1};
    memcpy(identifier + 1, packet + 28, 6);
    at = option(at, 61, 7, identifier);
    if (type == REQUEST) {
        at = option(at, 50, 4, &x->offered);
        at = option(at, 54, 4, &x->chosen);
    }
    if (pxe) {
        at = option(at, 60, 32, "PXEClient:Arch:00007:UNDI:003016");
        at = option(at, 93, 2, "\0\7");
        at = option(at, 94, 3, "\1\3\x10");
    }
    at = option(at, 55, 11, "\1\2\3\6\14\15\17\32\34\102\103");
    *at++ = 255;
    size_t count = (size_t)(at - packet);
    x->asked = seconds_now();
    sendto(wire, packet, count < 300 ? 300 : count, 0, (void *)&server, sizeof server);
}

static void begin(struct exchange *x) {
    x->machine = (uint32_t)(next_machine++ % (uint32_t)clients);
    // The lower bits say which exchange it is.
    x->transaction = (next_transaction += SLOTS) | (uint32_t)(x - exchanges);
    x->waits_for = OFFER, x->tries = 0;
    ask(x);
}

static void take(const uint8_t *p, size_t count) {
    if (count < 244 || p[0] != 2) return;
    uint32_t transaction, chosen = 0;
    memcpy(&transaction, p + 4, 4);
    struct exchange *x = &exchanges[transaction % SLOTS];
    if (x->transaction != transaction) return;
    int type = 0;
    for (size_t i = 240; i + 1 < count && p[i] != 255; i += p[i] ? 2u + p[i + 1] : 1) {
        if (p[i] == 53) type = p[i + 2];
        if (p[i] == 54 && i + 6 <= count) memcpy(&chosen, p + i + 2, 4);
    }
    if (type == OFFER && x->waits_for == OFFER) {
        memcpy(&x->offered, p + 16, 4);
        x->chosen = chosen, x->waits_for = ACK, x->tries = 0;
        ask(x);
    } else if (type == ACK && x->waits_for == ACK) {
        if (memcmp(&x->offered, p + 16, 4)) leave("an ACK of another address than the one offered");
        done++;
        begin(x);
    } else if (type == NAK) {
        refused++;
        begin(x);
    }
}

int main(int count, char **word) {
    if (count != 7) leave("usage: dhcp_load SERVER RELAY CLIENTS WINDOW PXE SECONDS");
    server = address_of(word[1], "67"), relay = address_of(word[2], "67");
    clients = atoi(word[3]), window = atoi(word[4]), pxe = atoi(word[5]);
    if (clients < 1 || window < 1 || window > SLOTS) leave("CLIENTS and WINDOW are numbers, WINDOW at most 4096");
    if (window > clients) window = clients;
    wire = socket(AF_INET, SOCK_DGRAM, 0);
    int room = 4 << 20, yes = 1;
    setsockopt(wire, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(wire, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(wire, (void *)&relay, sizeof relay)) leave(strerror(errno));
    double start = seconds_now(), now = start, looked = start, end = start + atof(word[6]);
    // Each run begins with other machines and other numbers.
    next_machine = clients > 1 ? (uint32_t)(start * 1e6) % (uint32_t)clients : 0;
    next_transaction = (uint32_t)(start * 1e3) * SLOTS;
    for (int i = 0; i < window; i++) begin(&exchanges[i]);
    while ((now = seconds_now()) < end) {
        struct pollfd ready = {wire, POLLIN, 0};
        poll(&ready, 1, 20);
        uint8_t packet[1500];
        ssize_t got;
        for (int i = 0; i < 256 && (got = recv(wire, packet, sizeof packet, MSG_DONTWAIT)) >= 0; i++) take(packet, (size_t)got);
        if (now - looked < .02) continue;
        looked = now;
        for (int i = 0; i < window; i++) {
            struct exchange *x = &exchanges[i];
            if (now - x->asked < .5) continue;
            repeated++;
            if (++x->tries > 4) begin(x);
            else ask(x);
        }
    }
    if (!done) leave("no exchange was finished");
    printf("dora_s=%.0f exchanges=%llu repeated=%llu refused=%llu\n", (double)done / (now - start), (unsigned long long)done,
           (unsigned long long)repeated, (unsigned long long)refused);
}
