#!/usr/bin/env python3
"""One lock of a file, for a test that watches several clients. WHAT is `flock`, or FIRST:LENGTH for a range of bytes.

    locks.py hold FILE WHAT r|w NAME    waits for the lock, and writes the note that lies in the file to /run/NAME.held;
                                        when /run/NAME.release appears, leaves NAME as the note and lets go (/run/NAME.done)
    locks.py try FILE WHAT r|w          says whether it is taken or refused, without waiting
    locks.py ask FILE FIRST:LENGTH r|w  says which lock of somebody else is in the way: FIRST:LENGTH r|w, or none
An error, such as a lock that was lost, is written to /run/NAME.error."""
import errno, fcntl, os, struct, sys, time

NOTE, SIZE = 64, 16
LAYOUT = "hhqqi4x"


def lock(file, what, mode, waits):
    flags = (fcntl.LOCK_EX if mode == "w" else fcntl.LOCK_SH) | (0 if waits else fcntl.LOCK_NB)
    if what == "flock":
        fcntl.flock(file, flags)
    else:
        first, length = map(int, what.split(":"))
        fcntl.lockf(file, flags, length, first)


def unlock(file, what):
    if what == "flock":
        fcntl.flock(file, fcntl.LOCK_UN)
    else:
        first, length = map(int, what.split(":"))
        fcntl.lockf(file, fcntl.LOCK_UN, length, first)


def tell(name, kind, text):
    with open(f"/run/{name}.{kind}.new", "w") as out:
        out.write(text + "\n")
    os.rename(f"/run/{name}.{kind}.new", f"/run/{name}.{kind}")


def hold(file, what, mode, name):
    try:
        lock(file, what, mode, True)
        tell(name, "held", os.pread(file, SIZE, NOTE).rstrip(b"\0").decode() or "nothing")
        while not os.path.exists(f"/run/{name}.release"):
            time.sleep(0.1)
        os.pwrite(file, name.encode().ljust(SIZE, b"\0"), NOTE)
        unlock(file, what)
        tell(name, "done", "done")
    except OSError as error:
        tell(name, "error", str(error))


def attempt(file, what, mode):
    try:
        lock(file, what, mode, False)
        print("taken")
    except OSError as error:
        print("refused" if error.errno in (errno.EAGAIN, errno.EACCES) else str(error))


def ask(file, what, mode):
    first, length = map(int, what.split(":"))
    kind = fcntl.F_WRLCK if mode == "w" else fcntl.F_RDLCK
    reply = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack(LAYOUT, kind, os.SEEK_SET, first, length, 0))
    kind, _, first, length, _ = struct.unpack(LAYOUT, reply)
    print({fcntl.F_RDLCK: f"{first}:{length} r", fcntl.F_WRLCK: f"{first}:{length} w"}.get(kind, "none"))


if __name__ == "__main__":
    handle = os.open(sys.argv[2], os.O_RDWR)
    {"hold": hold, "try": attempt, "ask": ask}[sys.argv[1]](handle, *sys.argv[3:])
