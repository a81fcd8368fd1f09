// Trees of files: handles, the rights of one thread, directories as the kernel lists them, extended attributes, ranges.
// Part of CLinux.h, which names the system's own headers.
#ifndef CLINUX_TREES_H
#define CLINUX_TREES_H

#include "CLinux.h"

/// name_to_handle_at(2): at most `*count` bytes go to `bytes`; their number and the handle's type come back.
static inline int clinux_handle_of(int directory, const char *name, int flags, void *bytes, unsigned *count, int *type) {
    struct { struct file_handle head; unsigned char room[MAX_HANDLE_SZ]; } handle;
    int mount;
    handle.head.handle_bytes = *count > MAX_HANDLE_SZ ? MAX_HANDLE_SZ : *count;
    int result = name_to_handle_at(directory, name, &handle.head, &mount, flags);
    if (result < 0) return result;
    memcpy(bytes, handle.head.f_handle, handle.head.handle_bytes);
    *count = handle.head.handle_bytes;
    *type = handle.head.handle_type;
    return 0;
}
/// open_by_handle_at(2).
static inline int clinux_open_handle(int mount, const void *bytes, unsigned count, int type, int flags) {
    struct { struct file_handle head; unsigned char room[MAX_HANDLE_SZ]; } handle;
    if (count > MAX_HANDLE_SZ) { errno = EINVAL; return -1; }
    handle.head.handle_bytes = count;
    handle.head.handle_type = type;
    memcpy(handle.head.f_handle, bytes, count);
    return open_by_handle_at(mount, &handle.head, flags);
}
/// Opens the file of a descriptor anew, with the rights of this thread; never for a symbolic link or a device.
///
/// `own` is /proc/self/fd, opened once: walking there anew costs as much as the rest.
static inline int clinux_reopen(int own, int descriptor, int flags) {
    char name[12], *digit = name + sizeof name - 1;
    *digit = 0;
    for (unsigned rest = (unsigned)descriptor; digit == name + sizeof name - 1 || rest; rest /= 10)
        *--digit = (char)('0' + rest % 10);
    return openat(own, digit, flags | O_CLOEXEC);
}
/// Puts an open file in the place of another descriptor, at once for all threads; its own number is closed.
static inline int clinux_take_place(int descriptor, int place) {
    int result = dup3(descriptor, place, O_CLOEXEC), why = errno;
    close(descriptor);
    errno = why;
    return result;
}
/// chmod(2) of the file of a descriptor that may be O_PATH; not for a symbolic link.
static inline int clinux_change_mode(int descriptor, mode_t mode) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return chmod(path, mode);
}
/// A further name for the file of a descriptor that may be O_PATH.
static inline int clinux_link(int descriptor, int directory, const char *name) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW);
}
/// The user, group and further groups of this thread alone: glibc's setgroups would change all threads.
static inline int clinux_thread_user(uid_t user) { return (int)syscall(SYS_setfsuid, user); }
static inline int clinux_thread_group(gid_t group) { return (int)syscall(SYS_setfsgid, group); }
static inline int clinux_thread_groups(size_t count, const gid_t *groups) {
    return (int)syscall(SYS_setgroups, count, groups);
}
/// Takes CAP_SYS_RESOURCE from this thread for good: with it, quotas and reserved blocks would not hold for its callers.
static inline int clinux_obey_quotas(void) {
    struct { uint32_t version; int pid; } head = {0x20080522, 0};
    struct { uint32_t effective, permitted, inheritable; } sets[2];
    if (syscall(SYS_capget, &head, sets) < 0) return -1;
    sets[0].effective &= ~(1u << 24);
    sets[0].permitted &= ~(1u << 24);
    return (int)syscall(SYS_capset, &head, sets);
}
/// Gives this thread a umask and working directory of its own.
static inline int clinux_own_umask(void) { return unshare(CLONE_FS); }
/// faccessat2(2) for the file of a descriptor, with the rights that file operations of this thread have (Linux 5.8).
static inline int clinux_may(int descriptor, int mode) {
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
    return (int)syscall(SYS_faccessat2, descriptor, "", mode, AT_EACCESS | AT_EMPTY_PATH);
}
/// open_tree(2): the tree at a path as a mount of its own, without what is mounted below it (Linux 5.2).
static inline int clinux_clone_tree(const char *path) {
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
    return (int)syscall(SYS_open_tree, AT_FDCWD, path, 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC | AT_SYMLINK_NOFOLLOW);
}
/// getdents64(2).
static inline long clinux_list(int directory, void *bytes, size_t size) {
    return syscall(SYS_getdents64, directory, bytes, size);
}
/// A device number (sysmacros.h).
static inline dev_t clinux_device(unsigned major_number, unsigned minor_number) {
    return makedev(major_number, minor_number);
}
/// Raises the number of descriptors this process may have to its hard limit, and beyond that to what a server of many files
/// needs where it may (CAP_SYS_RESOURCE); gives the limit.
static inline int clinux_descriptor_limit(struct rlimit *limit) {
    if (getrlimit(RLIMIT_NOFILE, limit) < 0) return -1;
    enum { PLENTY = 1 << 18 };
    if (limit->rlim_max < PLENTY) {
        struct rlimit plenty = {.rlim_cur = PLENTY, .rlim_max = PLENTY};
        if (setrlimit(RLIMIT_NOFILE, &plenty) == 0) {
            *limit = plenty;
            return 0;
        }
    }
    struct rlimit wanted = {.rlim_cur = limit->rlim_max, .rlim_max = limit->rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) *limit = wanted;
    return 0;
}
/// What utimensat(2) takes for "now" and "as it is" in tv_nsec.
static inline long clinux_time_now(void) { return UTIME_NOW; }
static inline long clinux_time_omitted(void) { return UTIME_OMIT; }
/// unshare(2): from here on this thread, and those it starts, see mounts of their own; mounts of others still arrive.
static inline int clinux_own_mounts(void) {
    if (unshare(CLONE_NEWNS) < 0) return -1;
    return mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL);
}
/// A loop device of the number that is free now, for reading `descriptor`; it is let go of by its last user.
static inline int clinux_attach_loop(int control, int descriptor, int *number) {
#ifndef LOOP_CONFIGURE
    errno = ENOSYS;
    return -1;
#else
    int free_number = ioctl(control, LOOP_CTL_GET_FREE);
    if (free_number < 0) return -1;
    char path[32];
    snprintf(path, sizeof path, "/dev/loop%d", free_number);
    int device = open(path, O_RDONLY | O_CLOEXEC);
    if (device < 0) return -1;
    struct loop_config config = {.fd = (unsigned)descriptor};
    config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    if (ioctl(device, LOOP_CONFIGURE, &config) < 0) {
        int error = errno;
        close(device);
        errno = error;
        return -1;
    }
    *number = free_number;
    return device;
#endif
}

// Extended attributes and ranges of files.
#include <sys/xattr.h>

/// The path by which the file of a descriptor that may be O_PATH is reached; `path` has at least 40 bytes.
static inline void clinux_descriptor_path(int descriptor, char *path) {
    snprintf(path, 40, "/proc/self/fd/%d", descriptor);
}
/// getxattr(2), listxattr(2), setxattr(2) and removexattr(2) for the file of a descriptor that may be O_PATH.
static inline ssize_t clinux_get_attribute(int descriptor, const char *name, void *value, size_t size) {
    char path[40];
    clinux_descriptor_path(descriptor, path);
    return getxattr(path, name, value, size);
}
static inline ssize_t clinux_list_attributes(int descriptor, char *names, size_t size) {
    char path[40];
    clinux_descriptor_path(descriptor, path);
    return listxattr(path, names, size);
}
static inline int clinux_set_attribute(int descriptor, const char *name, const void *value, size_t size, int flags) {
    char path[40];
    clinux_descriptor_path(descriptor, path);
    return setxattr(path, name, value, size, flags);
}
static inline int clinux_remove_attribute(int descriptor, const char *name) {
    char path[40];
    clinux_descriptor_path(descriptor, path);
    return removexattr(path, name);
}
/// copy_file_range(2).
static inline ssize_t clinux_copy_range(int from, int64_t offset, int to, int64_t target, size_t count) {
    off_t source = offset, destination = target;
    return copy_file_range(from, &source, to, &destination, count, 0);
}
/// FICLONERANGE: bytes of one file become bytes of another without being copied; 0 is all that follow.
static inline int clinux_clone_range(int from, uint64_t offset, uint64_t count, int to, uint64_t target) {
    struct file_clone_range range = {.src_fd = from, .src_offset = offset, .src_length = count, .dest_offset = target};
    return ioctl(to, FICLONERANGE, &range);
}

#endif
