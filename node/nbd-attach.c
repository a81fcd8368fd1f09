/* nbd-attach: gives the kernel an NBD root and keeps it alive for as long as the machine runs.
 *
 * Connects, shakes hands, hands the socket to the kernel and stays as a small daemon that redials for ever when the
 * link dies. The daemon outlives switch_root and systemd's last killing spree (its name begins with '@'), and must
 * never wait for the disk it keeps alive: all its memory is locked, it allocates nothing, it opens no file. */
#define _GNU_SOURCE
#include "nbd-attach.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

#define REDIAL_MS 500
#define REFUSED_MS 2000        /* a server that says no is asked more slowly */
#define REQUEST_SECONDS 5      /* an unanswered request is sent again after that */
#define REQUEST_SECONDS_MAX 80 /* ... and this is how far a slow server stretches it */
#define DEAD_SECONDS (7ULL * 24 * 3600) /* a node waits this long for its server before it gets I/O errors */
#define STEADY_SECONDS 600     /* a link that stood so long was not hurt by a short request timer */

static struct target target;
static struct export_info attached;
static uint32_t device_index;
/* Where the device's ext4 is mounted in the running system, when the device may grow; else nothing. */
static const char *growing_at;
static int kernel_log = -1;

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void pause_ms(long ms) {
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&span, NULL);
}

/* One line in the kernel's log, where the console and the journal show it. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
    char line[400];
    int used = snprintf(line, sizeof line, "<5>diskless: ");
    va_list arguments;
    va_start(arguments, format);
    used += vsnprintf(line + used, sizeof line - used, format, arguments);
    va_end(arguments);
    if (used >= (int)sizeof line) used = sizeof line - 1;
    if (kernel_log >= 0 && write(kernel_log, line, used) < 0) return;
}

/* The kernel's driver sets a send timeout on every socket that it takes: the only sign that it took this one. */
static bool kernel_has_taken(int descriptor) {
    struct timeval limit = {0};
    socklen_t length = sizeof limit;
    return getsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, &length) == 0 && (limit.tv_sec || limit.tv_usec);
}

static bool hung_up(int descriptor) {
    struct pollfd one = {.fd = descriptor, .events = POLLRDHUP};
    return poll(&one, 1, 0) > 0 && one.revents;
}

/* True when our side closed a link whose peer still answers TCP: the request timer, against a slow or stopped server. */
static bool closed_by_request_timer(int descriptor) {
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return false;
    return info.tcpi_state == TCP_FIN_WAIT1 || info.tcpi_state == TCP_FIN_WAIT2;
}

/* Waits until the link of `descriptor` is dead. */
static void watch(int descriptor) {
    for (;;) {
        struct pollfd both[2] = {{.fd = descriptor, .events = POLLRDHUP}, {.fd = netlink_events(), .events = POLLIN}};
        if (poll(both, 2, -1) < 0) {
            pause_ms(REDIAL_MS);
            continue;
        }
        if (both[0].revents) return;
        /* An announcement may belong to the link before this one: believe the socket. */
        if (netlink_link_died(device_index) && hung_up(descriptor)) return;
    }
}

/* Gives `descriptor` to the kernel; it takes it only once it has noticed that the old link is dead. */
static bool hand_over(int descriptor, uint64_t timeout) {
    int gone = 0;
    for (int tries = 0; tries < 60 && !hung_up(descriptor); tries++) {
        int error = netlink_reconfigure(device_index, descriptor, timeout);
        if (kernel_has_taken(descriptor)) return true;
        if (error == -EINVAL || error == -ENODEV || error == -ENOENT) {
            if (++gone == 20) {
                say("nbd%u was detached, nothing is left to keep alive", device_index);
                exit(0);
            }
        }
        pause_ms(50);
    }
    return false;
}

/* Grows the file system in a process of its own: that may wait for the disk which this one keeps alive. */
static void grow_file_system_beside(void) {
    pid_t child = fork();
    if (child < 0) say("the file system of nbd%u grows at the next boot: %s", device_index, strerror(errno));
    if (child != 0) return;
    char why[200] = "";
    uint64_t now;
    if (!grow_enter_system()) say("the file system of nbd%u grows at the next boot: %s", device_index, strerror(errno));
    else if (!grow_file_system(device_index, growing_at, &now, why, sizeof why))
        say("the file system of nbd%u does not grow (%s); the next boot tries again", device_index, why);
    else if (now) say("the file system of nbd%u has grown to %llu bytes", device_index, (unsigned long long)now);
    _exit(0);
}

/* Gives the device the size that the server has now. The link must be alive: since Linux 6.9 the kernel first waits until
 * every request is answered, and takes no other socket meanwhile. */
static void grow(uint64_t size, uint64_t timeout) {
    int error = netlink_resize(device_index, size, timeout);
    if (error) {
        say("nbd%u stays at %llu bytes, the server has %llu: %s", device_index, (unsigned long long)attached.size,
            (unsigned long long)size, strerror(-error));
        return;
    }
    attached.size = size;
    say("nbd%u has grown to %llu bytes", device_index, (unsigned long long)size);
    grow_file_system_beside();
}

/* Dials until a server with the same export is there and the kernel has its socket. */
static int reattach(uint64_t timeout) {
    char why[300], before[300] = "";
    for (;;) {
        struct export_info info;
        int descriptor = -1;
        long long began = now_ms();
        enum dial_result result = dial(&target, &descriptor, &info, why, sizeof why);
        bool grows = growing_at && info.size > attached.size;
        if (result == DIAL_OK && info.size != attached.size && !grows) {
            snprintf(why, sizeof why, "the export has now %llu bytes, it had %llu: this is not the root of this machine",
                     (unsigned long long)info.size, (unsigned long long)attached.size);
            result = DIAL_REFUSED;
            close(descriptor);
        } else if (result == DIAL_OK) {
            /* While it grows nothing may be taken for lost. */
            if (hand_over(descriptor, grows ? REQUEST_SECONDS_MAX : timeout)) {
                if (grows) grow(info.size, timeout);
                return descriptor;
            }
            snprintf(why, sizeof why, "the kernel does not take the new connection");
            close(descriptor);
        }
        if (strcmp(why, before) != 0) say("root server %s: %s; trying on", target.text, why);
        memcpy(before, why, sizeof before);
        long long rest = (result == DIAL_REFUSED ? REFUSED_MS : REDIAL_MS) - (now_ms() - began);
        if (rest > 0) pause_ms(rest);
    }
}

__attribute__((noreturn)) static void keep_alive(int descriptor) {
    uint64_t timeout = REQUEST_SECONDS;
    for (;;) {
        long long since = now_ms();
        watch(descriptor);
        long long died = now_ms();
        if (closed_by_request_timer(descriptor)) {
            if (timeout < REQUEST_SECONDS_MAX) timeout *= 2;
        } else if (died - since > STEADY_SECONDS * 1000LL) {
            timeout = REQUEST_SECONDS;
        }
        say("connection to the root server %s is lost, the machine waits for it", target.text);
        /* Whatever we saw, the kernel must see too; and the old server must not answer any more. */
        shutdown(descriptor, SHUT_RDWR);
        close(descriptor);
        descriptor = reattach(timeout);
        say("root server %s is back after %lld.%lld s", target.text, (now_ms() - died) / 1000, (now_ms() - died) / 100 % 10);
    }
}

static void become_daemon(int argc, char **argv) {
    setsid();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; null >= 0 && fd < 3; fd++) dup2(null, fd);
    if (null > 2) close(null);
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        if (write(score, "-1000", 5) < 0) say("nbd-attach may be killed when memory runs out: %s", strerror(errno));
        close(score);
    }
    if (chdir("/") < 0) pause_ms(0);
    /* systemd spares processes whose argv[0] begins with '@' (its ROOT_STORAGE_DAEMONS). */
    char *end = argv[argc - 1] + strlen(argv[argc - 1]);
    if (end - argv[0] > 12) {
        memset(argv[0], 0, end - argv[0]);
        memcpy(argv[0], "@nbd-attach", 11);
    }
    prctl(PR_SET_NAME, "nbd-attach");
    prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0) say("nbd-attach cannot lock its memory: %s", strerror(errno));
}

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("nbd-attach: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static int first_connection(long wait_seconds) {
    char why[300], before[300] = "";
    long long deadline = now_ms() + wait_seconds * 1000;
    for (;;) {
        int descriptor;
        long long began = now_ms();
        enum dial_result result = dial(&target, &descriptor, &attached, why, sizeof why);
        if (result == DIAL_OK) return descriptor;
        if (result == DIAL_REFUSED) fail("%s: %s", target.text, why);
        if (now_ms() >= deadline) fail("no root server at %s: %s (tried for %ld s)", target.text, why, wait_seconds);
        if (strcmp(why, before) != 0) say("no root server at %s yet: %s", target.text, why);
        memcpy(before, why, sizeof before);
        if (now_ms() - began < REDIAL_MS) pause_ms(REDIAL_MS);
    }
}

/* `nbd-attach -d NUMBER -g PLACE`: after the device was attached larger than the file system on it, and mounted. */
static int grow_mounted(void) {
    char why[200];
    uint64_t now;
    if (!grow_file_system(device_index, growing_at, &now, why, sizeof why)) fail("%s", why);
    if (now) printf("the file system of nbd%u has grown to %llu bytes\n", device_index, (unsigned long long)now);
    return 0;
}

int main(int argc, char **argv) {
    long wait_seconds = 60;
    int option;
    while ((option = getopt(argc, argv, "d:g:w:")) != -1) {
        if (option == 'd') device_index = strtoul(optarg, NULL, 10);
        else if (option == 'g') growing_at = strdup(optarg); /* the arguments are overwritten */
        else if (option == 'w') wait_seconds = strtol(optarg, NULL, 10);
        else optind = argc + 1;
    }
    if (growing_at && optind == argc) return grow_mounted();
    if (optind != argc - 1) {
        fputs("usage: nbd-attach [-d DEVICE_NUMBER] [-w SECONDS_TO_WAIT] [-g MOUNTED_AT] nbd://ADDRESS:PORT/EXPORT\n"
              "       nbd-attach -d DEVICE_NUMBER -g MOUNTED_AT\n", stderr);
        return 2;
    }
    char why[300];
    if (!parse_target(argv[optind], &target, why, sizeof why)) fail("%s", why);
    kernel_log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    if (growing_at) grow_prepare();
    int error = netlink_open();
    if (error) fail("the kernel has no NBD driver (%s); is the module nbd loaded?", strerror(-error));

    int descriptor = first_connection(wait_seconds);
    if (attached.size == 0) fail("%s: export '%s' is empty", target.text, target.export);
    error = netlink_connect(device_index, descriptor, &attached, REQUEST_SECONDS, DEAD_SECONDS);
    if (error) fail("the kernel refuses /dev/nbd%u: %s", device_index, strerror(-error));

    pid_t child = fork();
    if (child < 0) fail("no process to keep the root alive: %s", strerror(errno));
    if (child == 0) {
        become_daemon(argc, argv);
        keep_alive(descriptor);
    }
    printf("/dev/nbd%u %llu bytes from %s, export %s\n", device_index, (unsigned long long)attached.size, target.text,
           target.export);
    return 0;
}
