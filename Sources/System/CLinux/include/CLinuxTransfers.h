// What a server calls for every few kilobytes. glibc's own wrappers of these are cancellation points, which cost two atomic
// changes of the thread around each call of a program with threads, and its fstat(2) looks at an empty path; no thread is
// ever cancelled here. Results and errno are those of the calls. Only where long is 64 bits wide.
#ifndef CLINUX_TRANSFERS_H
#define CLINUX_TRANSFERS_H

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8 && sizeof(off_t) == 8, "offsets fit into one argument of a system call");

static inline ssize_t clinux_pread(int descriptor, void *buffer, size_t size, off_t offset) {
    return syscall(SYS_pread64, descriptor, buffer, size, offset);
}
static inline ssize_t clinux_recv(int descriptor, void *buffer, size_t size, int flags) {
    return syscall(SYS_recvfrom, descriptor, buffer, size, flags, NULL, NULL);
}
static inline ssize_t clinux_send(int descriptor, const void *buffer, size_t size, int flags) {
    return syscall(SYS_sendto, descriptor, buffer, size, flags, NULL, 0);
}
static inline int clinux_fstat(int descriptor, struct stat *status) {
    return (int)syscall(SYS_fstat, descriptor, status);
}

/// Puts memory into a pipe by reference: whoever takes it out sees what is there then (vmsplice(2)).
static inline ssize_t clinux_pipe_memory(int pipe, const void *memory, size_t size) {
    struct iovec part = {.iov_base = (void *)memory, .iov_len = size};
    return syscall(SYS_vmsplice, pipe, &part, 1, SPLICE_F_NONBLOCK);
}
/// Puts bytes of a file into a pipe by reference; EAGAIN when the pipe is full (splice(2)).
static inline ssize_t clinux_pipe_file(int pipe, int file, off_t offset, size_t size) {
    return syscall(SYS_splice, file, &offset, pipe, NULL, size, SPLICE_F_NONBLOCK);
}
/// Moves bytes from a pipe to a socket, and waits for the socket where it has to (splice(2)).
static inline ssize_t clinux_send_pipe(int pipe, int socket, size_t size) {
    return syscall(SYS_splice, pipe, NULL, socket, NULL, size, 0);
}
/// A pipe for at least so many pages, where the kernel grants that; its ends are closed by exec.
static inline int clinux_open_pipe(int *ends, int pages) {
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    fcntl(ends[1], F_SETPIPE_SZ, pages * (int)sysconf(_SC_PAGESIZE));
    return 0;
}

#endif
