// What Swift's Glibc overlay cannot reach: calls behind _GNU_SOURCE, and macros that Swift does not import.
// Header only; every function here is a thin name for one kernel interface.
#ifndef CLINUX_H
#define CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/if_packet.h>
#include <linux/loop.h>
#include <linux/openat2.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/icmp6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/// errno of the last call in this thread. Swift cannot import the macro.
static inline int clinux_errno(void) { return errno; }

/// Aligned room for the control messages this program uses, and walking them: the CMSG_ macros.
static inline size_t clinux_cmsg_space(size_t length) { return CMSG_SPACE(length); }
static inline size_t clinux_cmsg_len(size_t length) { return CMSG_LEN(length); }
static inline struct cmsghdr *clinux_cmsg_first(struct msghdr *message) { return CMSG_FIRSTHDR(message); }
static inline struct cmsghdr *clinux_cmsg_next(struct msghdr *message, struct cmsghdr *control) {
    return CMSG_NXTHDR(message, control);
}
static inline void *clinux_cmsg_data(struct cmsghdr *control) { return CMSG_DATA(control); }

/// bind, connect, accept4 and getsockname with untyped addresses: glibc declares them with a transparent union.
static inline int clinux_bind(int descriptor, const void *address, socklen_t length) {
    return bind(descriptor, (const struct sockaddr *)address, length);
}
static inline int clinux_connect(int descriptor, const void *address, socklen_t length) {
    return connect(descriptor, (const struct sockaddr *)address, length);
}
static inline int clinux_accept(int descriptor, void *address, socklen_t *length, int flags) {
    return accept4(descriptor, (struct sockaddr *)address, length, flags);
}
static inline int clinux_getsockname(int descriptor, void *address, socklen_t *length) {
    return getsockname(descriptor, (struct sockaddr *)address, length);
}

/// The device number's parts, and a device number from its parts (sysmacros.h).
static inline unsigned clinux_major(dev_t device) { return major(device); }
static inline unsigned clinux_minor(dev_t device) { return minor(device); }

/// ioctl with a pointer argument; Swift does not import variadic functions.
static inline int clinux_ioctl(int descriptor, unsigned long request, void *argument) {
    return ioctl(descriptor, request, argument);
}

/// open(2) with a mode; Swift does not import variadic functions.
static inline int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
static inline int clinux_openat(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}
static inline int clinux_fcntl(int descriptor, int command, long argument) {
    return fcntl(descriptor, command, argument);
}

/// wait status macros.
static inline int clinux_exited(int status) { return WIFEXITED(status); }
static inline int clinux_exit_status(int status) { return WEXITSTATUS(status); }
static inline int clinux_term_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

// The lab: directories, environment, host name, children.
#include <dirent.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <malloc.h>

/// The default action of a signal; Swift cannot import the macro.
static inline void clinux_default_signal(int number) { signal(number, SIG_DFL); }

/// openat2(2) that cannot leave `directory`, neither by `..` nor by a link (Linux 5.6); glibc has no wrapper.
static inline int clinux_open_beneath(int directory, const char *path, int flags) {
    struct open_how how = {.flags = (uint64_t)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

/// Where a UDP_SEGMENT control message says the size of each datagram.
static inline void clinux_set_segment_size(struct msghdr *message, void *room, size_t room_length, uint16_t size) {
    message->msg_control = room;
    message->msg_controllen = room_length < CMSG_SPACE(sizeof size) ? room_length : CMSG_SPACE(sizeof size);
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    if (!control) return;
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof size);
    memcpy(CMSG_DATA(control), &size, sizeof size);
}

/// The result of mmap when it failed; Swift cannot import the macro.
static inline int clinux_is_map_failed(const void *address) { return address == MAP_FAILED; }

/// Sets errno of this thread: a signal handler gives it back as it found it.
static inline void clinux_set_errno(int code) { errno = code; }

/// recvfrom(2) and sendto(2) with an address of any family; Swift sees their address parameters as unions.
static inline ssize_t clinux_recvfrom(int descriptor, void *buffer, size_t size, int flags, void *address,
                                      socklen_t *length) {
    return recvfrom(descriptor, buffer, size, flags, (struct sockaddr *)address, length);
}
static inline ssize_t clinux_sendto(int descriptor, const void *buffer, size_t size, int flags, const void *address,
                                    socklen_t length) {
    return sendto(descriptor, buffer, size, flags, (const struct sockaddr *)address, length);
}

/// openat2(2) as if `directory` were the root: links and `..` of a foreign tree stay inside it (Linux 5.6).
static inline int clinux_open_in_root(int directory, const char *path, int flags) {
    struct open_how how = {.flags = (uint64_t)flags, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

/// Lets a write to a closed pipe fail with EPIPE; SIG_IGN is a macro that Swift does not import.
static inline void clinux_ignore_broken_pipe(void) { signal(SIGPIPE, SIG_IGN); }

// The yescrypt hash of a password with a salt of its own, by the system's libcrypt (crypt(3), libxcrypt), which is looked
// up when it is wanted: only one command needs it, and it is no part of the C library. 0 when done, else -1.
static inline int clinux_hash_password(const char *password, char *hash, size_t size) {
    typedef char *gensalt_function(const char *, unsigned long, const char *, int, char *, int);
    typedef char *crypt_function(const char *, const char *, void *, int);
    char setting[192];
    int result = -1;
    // Larger than struct crypt_data of every libxcrypt.
    const int room = 65536;
    void *library = dlopen("libcrypt.so.1", RTLD_NOW);
    if (!library) library = dlopen("libcrypt.so.2", RTLD_NOW);
    if (!library) return -1;
    gensalt_function *gensalt = (gensalt_function *)dlsym(library, "crypt_gensalt_rn");
    crypt_function *crypt_rn = (crypt_function *)dlsym(library, "crypt_rn");
    void *data = calloc(1, (size_t)room);
    if (gensalt && crypt_rn && data && gensalt("$y$", 0, NULL, 0, setting, (int)sizeof setting)) {
        const char *text = crypt_rn(password, setting, data, room);
        if (text && text[0] == '$' && strlen(text) < size) {
            strcpy(hash, text);
            result = 0;
        }
    }
    if (data) explicit_bzero(data, (size_t)room);
    free(data);
    dlclose(library);
    return result;
}

// Watching a link: a packet socket that a filter lets hear ARP and UDP to DHCP clients only.
#include <linux/filter.h>

/// The Ethernet address of an interface into `address` (6 bytes); 1 when it is Ethernet, 0 when not, -1 with errno.
static inline int clinux_ethernet_address(int descriptor, const char *interface, void *address) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    if (ioctl(descriptor, SIOCGIFHWADDR, &request) < 0) return -1;
    if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER) return 0;
    memcpy(address, request.ifr_hwaddr.sa_data, 6);
    return 1;
}

/// Attaches the filter and binds the packet socket to the interface; what this host sends itself is not heard.
static inline int clinux_watch_link(int descriptor, int index) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0806, 8, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0800, 0, 8),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 68, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0x40000),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    if (setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) return -1;
    int one = 1;
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif
    if (setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0) return -1;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
    return bind(descriptor, (const struct sockaddr *)&address, sizeof address);
}

#include "CLinuxTransfers.h"
#include "CLinuxTrees.h"

#endif
