/* Lets the ext4 on a device that has grown take all of it, while it is in use. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64 /* a file system may have more blocks than 32-bit ARM counts else */
#include "nbd-attach.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <unistd.h>

#define EXT4_MAGIC 0xEF53
#define BUSY_PAUSE_US 500000
#define BUSY_TRIES 1200 /* ten minutes */
/* EXT4_IOC_RESIZE_FS of fs/ext4/ext4.h, in no header for programs: the new size in blocks of the file system. */
#define RESIZE_EXT4 _IOW('f', 16, uint64_t)

/* The namespace where the running system has its mounts; opened while /proc is at hand. */
static int mounts = -1;

void grow_prepare(void) { mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC); }

/* Leaves the emptied root of the initramfs for the root that was mounted over it: entering a namespace of mounts, also
 * the own one, sets the root to its topmost. */
bool grow_enter_system(void) { return setns(mounts, CLONE_NEWNS) == 0; }

/* Bytes of the device as the kernel knows it; 0 when it does not. */
static uint64_t device_size(uint32_t index) {
    char path[40], text[24] = "";
    snprintf(path, sizeof path, "/sys/block/nbd%u/size", index);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    return got > 0 ? strtoull(text, NULL, 10) * 512 : 0;
}

/* One growth at a time: that to an earlier size may still wait for the disk when the next one comes. */
static int resize(int directory, uint64_t blocks) {
    int result;
    for (int tries = 0; (result = ioctl(directory, RESIZE_EXT4, &blocks)) < 0 && errno == EBUSY && tries < BUSY_TRIES; tries++)
        usleep(BUSY_PAUSE_US);
    return result;
}

/* Grows the ext4 of /dev/nbdINDEX that is mounted at `place`; true with `now` (bytes), which is 0 when it has that size. */
bool grow_file_system(uint32_t index, const char *place, uint64_t *now, char *why, size_t why_size) {
    struct statfs before, after;
    *now = 0;
    int directory = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || fstatfs(directory, &before) < 0) {
        snprintf(why, why_size, "%s cannot be opened: %s", place, strerror(errno));
    } else if (before.f_type != EXT4_MAGIC) {
        snprintf(why, why_size, "at %s is no ext4", place);
    } else {
        uint64_t blocks = device_size(index) / before.f_bsize;
        if (blocks == 0) {
            snprintf(why, why_size, "nbd%u has no size", index);
        } else if (resize(directory, blocks) < 0) {
            snprintf(why, why_size, "%s", strerror(errno));
        } else {
            if (fstatfs(directory, &after) == 0 && after.f_blocks != before.f_blocks) *now = blocks * before.f_bsize;
            close(directory);
            return true;
        }
    }
    if (directory >= 0) close(directory);
    return false;
}
