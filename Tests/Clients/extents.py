#!/usr/bin/env python3
"""What version 4.2 can do with a file beside reading and writing it, by the system calls that ask for it.

    extents.py seek data|hole FILE OFFSET       prints where the next data or hole is, or the error's name
    extents.py copy FROM OFFSET LENGTH TO AT    copy_file_range, until all is copied; prints how many bytes went
    extents.py set|create|replace FILE NAME VALUE, get FILE NAME, list FILE, remove FILE NAME: extended attributes"""
import errno, os, sys


def seek(what, path, offset):
    file = os.open(path, os.O_RDONLY)
    return os.lseek(file, int(offset), os.SEEK_DATA if what == "data" else os.SEEK_HOLE)


def copy(source, offset, length, target, place):
    from_file, to_file = os.open(source, os.O_RDONLY), os.open(target, os.O_RDWR | os.O_CREAT, 0o644)
    offset, length, place, done = int(offset), int(length), int(place), 0
    while done < length:
        count = os.copy_file_range(from_file, to_file, length - done, offset + done, place + done)
        if count == 0:
            break
        done += count
    return done


ACTIONS = {
    "seek": seek,
    "copy": copy,
    "set": lambda path, name, value: os.setxattr(path, name, value.encode()),
    "create": lambda path, name, value: os.setxattr(path, name, value.encode(), os.XATTR_CREATE),
    "replace": lambda path, name, value: os.setxattr(path, name, value.encode(), os.XATTR_REPLACE),
    "get": lambda path, name: os.getxattr(path, name).decode(),
    "list": lambda path: " ".join(sorted(os.listxattr(path))),
    "remove": os.removexattr,
}

try:
    print(ACTIONS[sys.argv[1]](*sys.argv[2:]))
except OSError as error:
    print(errno.errorcode[error.errno])
