#!/usr/bin/env python3
"""Random operations on one file, each compared with what it must do: reads, writes, appends, truncation, memory maps, holes.

    fsx.py FILE OPERATIONS SEED [CHECK]     CHECK: at the end write the file's SHA-256 there, for another client to compare
Exit status 1 with a line that says what differs."""
import hashlib, mmap, os, random, sys

LIMIT = 256 << 10


def main(path, count, seed, check=None):
    dice, model = random.Random(seed), bytearray()
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
    for number in range(count):
        what = dice.choices(("read", "write", "append", "cut", "map", "sync", "again"), (30, 30, 10, 5, 20, 1, 2))[0]
        at = dice.randrange(0, LIMIT)
        length = dice.randrange(1, 16 << 10)
        if what == "read":
            wanted = bytes(model[at:at + length])
            got = os.pread(file, length, at)
            if got != wanted:
                return differ(number, what, at, length, got, wanted)
        elif what in ("write", "append"):
            if what == "append":
                at = len(model)
            length = min(length, LIMIT - at)
            if length <= 0:
                continue
            data = dice.randbytes(length)
            if at > len(model):
                model.extend(bytes(at - len(model)))
            model[at:at + length] = data
            done = 0
            while done < length:
                done += os.pwrite(file, data[done:], at + done)
        elif what == "cut":
            if at > len(model):
                model.extend(bytes(at - len(model)))
            del model[at:]
            os.ftruncate(file, at)
        elif what == "map" and model:
            with mmap.mmap(file, len(model)) as pages:
                at %= len(model)
                part = min(length, len(model) - at)
                if dice.random() < 0.5:
                    got, wanted = pages[at:at + part], bytes(model[at:at + part])
                    if got != wanted:
                        return differ(number, what, at, part, got, wanted)
                else:
                    data = dice.randbytes(part)
                    pages[at:at + part] = data
                    model[at:at + part] = data
        elif what == "sync":
            os.fsync(file)
        elif what == "again":
            os.close(file)
            file = os.open(path, os.O_RDWR)
        if os.fstat(file).st_size != len(model):
            return differ(number, what, at, length, b"", b"") or 1
    os.fsync(file)
    os.close(file)
    with open(path, "rb") as whole:
        data = whole.read()
    if data != bytes(model):
        return differ(count, "whole", 0, len(model), data, bytes(model))
    if check:
        with open(check, "w") as out:
            out.write(hashlib.sha256(bytes(model)).hexdigest() + "\n")
    print(f"{count} operations, {len(model)} bytes")
    return 0


def differ(number, what, at, length, got, wanted):
    first = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
    print(f"operation {number} ({what} {length} at {at}): {len(got)} bytes instead of {len(wanted)}, they differ from {first} on")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:5]))
