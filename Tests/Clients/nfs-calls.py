#!/usr/bin/env python3
"""A small client of NFS that does what well-behaved ones do not: for tests alone. Calls are written out here, nothing is
shared with the server's own code.

    nfs-calls.py mount SERVER FROM PATH              MOUNT of version 3: prints the status and the handle
    nfs-calls.py lookup SERVER FROM HANDLE NAME      LOOKUP of version 3: prints the status and the handle
    nfs-calls.py fill SERVER FROM HANDLE [4]         writes a file in a directory until the disk is full, removes it, writes again;
                                                     with 4 it writes by WRITE of version 4.0
    nfs-calls.py attributes SERVER FROM HANDLE       GETATTR of version 3 with a handle in hexadecimal digits
    nfs-calls.py attributes4 SERVER FROM HANDLE      the same with version 4.0 (PUTFH, GETATTR)
    nfs-calls.py walk4 SERVER FROM PATH              version 4.0: PUTROOTFH and a LOOKUP for each part of the path
    nfs-calls.py silent SERVER FROM COUNT SECONDS    opens connections and says nothing
    nfs-calls.py deaf SERVER FROM HANDLE             reads a file again and again and takes no replies; prints how it ended
    nfs-calls.py mutate SERVER FROM HANDLE N SEED    N calls with bytes changed at random; prints how many were answered
    nfs-calls.py check SERVER FROM HANDLE SECONDS    reads a file all the while: every 8 bytes must be their offset
    nfs-calls.py busy SERVER FROM HANDLE COUNT SECONDS  COUNT connections that read 64 KiB of a file all the while; prints the calls
    nfs-calls.py change SERVER FROM HANDLE SECONDS   makes, writes, renames, lists and removes files in a directory; prints the rounds
    nfs-calls.py steps SERVER FROM HANDLE STEP...    does one thing after the other in a directory; prints a line for each:
                                                     user N (who calls from here on), create|mkdir|chmod PATH MODE,
                                                     chown PATH USER:GROUP, device PATH MAJOR:MINOR, link PATH NEW,
                                                     write PATH TEXT, read PATH, stat PATH
FROM is the address to call from. Exit status 1: something is wrong with what the server did."""
import random, resource, select, socket, struct, sys, time

NFS, MOUNT, PORT = 100003, 100005, 2049


def pad(data):
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


def message(xid, program, version, procedure, arguments, user=0):
    credential = struct.pack(">I", 1) + pad(b"test") + struct.pack(">IIII", user, user, 1, user)
    body = struct.pack(">IIIIII", xid, 0, 2, program, version, procedure) + struct.pack(">I", 1) + pad(credential)
    body += struct.pack(">II", 0, 0) + arguments
    return struct.pack(">I", 0x80000000 | len(body)) + body


class Client:
    def __init__(self, server, own, limit=20):
        self.socket = socket.socket()
        self.socket.bind((own, 0))
        self.socket.settimeout(limit)
        self.socket.connect((server, PORT))
        self.xid = random.getrandbits(31)
        self.user = 0

    def exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise EOFError("the server closed the connection")
            data += part
        return data

    def reply(self):
        data = b""
        while True:
            mark, = struct.unpack(">I", self.exactly(4))
            data += self.exactly(mark & 0x7FFFFFFF)
            if mark >> 31:
                return data

    def call(self, program, version, procedure, arguments=b""):
        self.xid += 1
        self.socket.sendall(message(self.xid, program, version, procedure, arguments, self.user))
        reply = self.reply()
        xid, kind, denied, flavor, length, status = struct.unpack(">IIIIII", reply[:24])
        if (xid, kind, denied, status) != (self.xid, 1, 0, 0):
            raise ValueError(f"refused: {reply[:24].hex()}")
        return reply[24:]


def handle_of(text):
    return pad(bytes.fromhex(text))


def compound(*operations):
    return pad(b"") + struct.pack(">II", 0, len(operations)) + b"".join(operations)


def read_call(xid, handle, offset, count):
    return message(xid, NFS, 3, 6, handle + struct.pack(">QI", offset, count))


def attributes(mode=None, user=None, group=None):
    """sattr3 of RFC 1813: what is None stays as it is."""
    given = [struct.pack(">I", 0) if value is None else struct.pack(">II", 1, value) for value in (mode, user, group)]
    return b"".join(given) + bytes(12)


def step(client, top, what, path, *rest):
    """One step in a directory; what it says: the status of version 3, or what was asked for."""
    def walk(names):
        handle = top
        for name in names:
            reply = client.call(NFS, 3, 3, handle + pad(name.encode()))
            status, = struct.unpack(">I", reply[:4])
            if status:
                raise LookupError(f"{status} for {name}")
            handle = pad(reply[8:8 + struct.unpack(">I", reply[4:8])[0]])
        return handle

    if what == "user":
        client.user = int(path)
        return "0"
    *folders, name = path.split("/")
    here = lambda: walk(folders) + pad(name.encode())
    file = lambda: walk(folders + [name])
    if what == "create":
        reply = client.call(NFS, 3, 8, here() + struct.pack(">I", 0) + attributes(mode=int(rest[0], 8)))
    elif what == "mkdir":
        reply = client.call(NFS, 3, 9, here() + attributes(mode=int(rest[0], 8)))
    elif what == "chmod":
        reply = client.call(NFS, 3, 2, file() + attributes(mode=int(rest[0], 8)) + bytes(4))
    elif what == "chown":
        user, group = map(int, rest[0].split(":"))
        reply = client.call(NFS, 3, 2, file() + attributes(user=user, group=group) + bytes(4))
    elif what == "device":
        numbers = struct.pack(">II", *map(int, rest[0].split(":")))
        reply = client.call(NFS, 3, 11, here() + struct.pack(">I", 4) + attributes(mode=0o600) + numbers)
    elif what == "link":
        *others, new = rest[0].split("/")
        reply = client.call(NFS, 3, 15, file() + walk(others) + pad(new.encode()))
    elif what == "write":
        text = rest[0].encode()
        reply = client.call(NFS, 3, 7, file() + struct.pack(">QII", 0, len(text), 2) + pad(text))
    elif what == "read":
        reply = client.call(NFS, 3, 6, file() + struct.pack(">QI", 0, 4096))
        if reply[:4] == bytes(4):
            # Behind the status and the attributes: count, end of file, the bytes.
            return reply[104:104 + struct.unpack(">I", reply[92:96])[0]].decode()
    elif what == "stat":
        reply = client.call(NFS, 3, 1, file())
        if reply[:4] == bytes(4):
            kind, mode, links, user, group = struct.unpack(">IIIII", reply[4:24])
            device = ":".join(map(str, struct.unpack(">II", reply[40:48])))
            return f"{' -dbcl'[kind] if kind < 6 else '?'} {mode:o} {user}:{group} {device}"
    else:
        raise ValueError(what)
    return str(struct.unpack(">I", reply[:4])[0])


def main(what, server, own, *rest):
    if what == "silent":
        count = int(rest[0])
        resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, max(count + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
        held, refused = [], 0
        for _ in range(count):
            try:
                one = socket.socket()
                one.bind((own, 0))
                one.settimeout(5)
                one.connect((server, PORT))
                held.append(one)
            except OSError:
                refused += 1
        print(f"open {len(held)} refused {refused}", flush=True)
        time.sleep(float(rest[1]))
        return 0
    if what == "mutate":
        return mutate(server, own, handle_of(rest[0]), int(rest[1]), int(rest[2]))
    client = Client(server, own)
    if what == "mount":
        reply = client.call(MOUNT, 3, 1, pad(rest[0].encode()))
        status, = struct.unpack(">I", reply[:4])
        length = struct.unpack(">I", reply[4:8])[0] if status == 0 else 0
        print(status, reply[8:8 + length].hex())
    elif what == "attributes":
        print(struct.unpack(">I", client.call(NFS, 3, 1, handle_of(rest[0]))[:4])[0])
    elif what == "lookup":
        reply = client.call(NFS, 3, 3, handle_of(rest[0]) + pad(rest[1].encode()))
        status, = struct.unpack(">I", reply[:4])
        length = struct.unpack(">I", reply[4:8])[0] if status == 0 else 0
        print(status, reply[8:8 + length].hex())
    elif what == "fill":
        directory = handle_of(rest[0])
        create = directory + pad(b"large") + struct.pack(">I", 0) + struct.pack(">II", 1, 0o644) + bytes(20)
        for _ in range(2):
            reply = client.call(NFS, 3, 8, create)
            length, = struct.unpack(">I", reply[8:12])
            file, offset, status = pad(reply[12:12 + length]), 0, 0
            while status == 0 and offset < 64 << 20:
                if rest[1:] == ("4",):
                    # With the state of nobody (RFC 7530, section 9.1.4.3): no open is needed.
                    write = struct.pack(">I", 38) + bytes(16) + struct.pack(">QI", offset, 2) + pad(bytes(65536))
                    reply = client.call(NFS, 4, 1, compound(struct.pack(">I", 22) + file, write))
                else:
                    call = file + struct.pack(">QII", offset, 65536, 2) + pad(bytes(65536))
                    reply = client.call(NFS, 3, 7, call)
                status, = struct.unpack(">I", reply[:4])
                offset += 65536
            removed, = struct.unpack(">I", client.call(NFS, 3, 12, directory + pad(b"large"))[:4])
            print(f"full {status} after {offset >> 20} MiB, removed {removed}")
    elif what == "steps":
        for words in rest[1:]:
            try:
                print(step(client, handle_of(rest[0]), *words.split()))
            except LookupError as error:
                print(error)
    elif what == "attributes4":
        operations = struct.pack(">I", 22) + handle_of(rest[0]), struct.pack(">III", 9, 1, 2)
        print(struct.unpack(">I", client.call(NFS, 4, 1, compound(*operations))[:4])[0])
    elif what == "walk4":
        names = [part.encode() for part in rest[0].split("/") if part]
        operations = [struct.pack(">I", 24)] + [struct.pack(">I", 15) + pad(name) for name in names]
        print(struct.unpack(">I", client.call(NFS, 4, 1, compound(*operations))[:4])[0])
    elif what == "deaf":
        handle, sent, end = handle_of(rest[0]), 0, time.monotonic() + 90
        client.socket.settimeout(1)
        while time.monotonic() < end:
            try:
                client.socket.sendall(read_call(1, handle, 0, 1 << 20))
                sent += 1
            except socket.timeout:
                continue
            except OSError as error:
                print(f"cut after {sent} calls: {error.__class__.__name__}")
                return 0
        print(f"still open after {sent} calls")
        return 1
    elif what == "busy":
        handle, end, calls = handle_of(rest[0]), time.monotonic() + float(rest[2]), 0
        clients = [Client(server, own) for _ in range(int(rest[1]))]
        while time.monotonic() < end:
            for one in clients:
                one.socket.sendall(message(calls, NFS, 3, 6, handle + struct.pack(">QI", random.randrange(0, 1 << 20, 4096), 65536)))
            for one in clients:
                one.reply()
                calls += 1
        print(f"calls {calls}")
    elif what == "change":
        directory, end, rounds, wrong = handle_of(rest[0]), time.monotonic() + float(rest[1]), 0, 0
        while time.monotonic() < end:
            old, new = pad(b"old-%d" % (rounds % 50)), pad(b"new-%d" % (rounds % 50))
            reply = client.call(NFS, 3, 8, directory + old + struct.pack(">III", 0, 1, 0o644) + bytes(20))
            file = pad(reply[12:12 + struct.unpack(">I", reply[8:12])[0]])
            for procedure, arguments in (
                (7, file + struct.pack(">QII", 0, 65536, 0) + pad(bytes(65536))), (21, file + bytes(12)), (14, directory + old + directory + new),
                (17, directory + struct.pack(">QQII", 0, 0, 4096, 32768)), (3, directory + new), (12, directory + new),
            ):
                wrong += client.call(NFS, 3, procedure, arguments)[:4] != bytes(4)
            rounds += 1
        print(f"rounds {rounds} wrong {wrong}")
        return 1 if wrong or not rounds else 0
    elif what == "check":
        handle, end, rounds, wrong = handle_of(rest[0]), time.monotonic() + float(rest[1]), 0, 0
        while time.monotonic() < end:
            offset = random.randrange(0, 1 << 20, 4096)
            reply = client.call(NFS, 3, 6, handle + struct.pack(">QI", offset, 4096))
            status, = struct.unpack(">I", reply[:4])
            data = reply[-4096:]
            if status or data != b"".join(struct.pack(">Q", offset + at) for at in range(0, 4096, 8)):
                wrong += 1
            rounds += 1
        print(f"rounds {rounds} wrong {wrong}")
        return 1 if wrong or not rounds else 0
    return 0


def mutate(server, own, handle, count, seed):
    """Good calls of every procedure that reads, with bytes changed, cut or added; the connection is made anew when it ends."""
    dice = random.Random(seed)
    root = struct.pack(">I", 24)
    good = [
        (NFS, 3, 1, handle), (NFS, 3, 3, handle + pad(b"name")), (NFS, 3, 4, handle + struct.pack(">I", 63)),
        (NFS, 3, 6, handle + struct.pack(">QI", 0, 512)), (NFS, 3, 16, handle + struct.pack(">QQI", 0, 0, 4096)),
        (NFS, 3, 17, handle + struct.pack(">QQII", 0, 0, 4096, 8192)), (NFS, 3, 19, handle), (NFS, 3, 8, handle + pad(b"x") + bytes(28)),
        (NFS, 3, 7, handle + struct.pack(">QII", 0, 4, 0) + pad(b"data")), (MOUNT, 3, 1, pad(b"/state")), (MOUNT, 3, 5, b""),
        (NFS, 4, 1, compound(root, struct.pack(">III", 9, 1, 2))),
        (NFS, 4, 1, compound(struct.pack(">I", 22) + handle, struct.pack(">I", 26) + bytes(16) + struct.pack(">QQIIII", 0, 0, 4096, 8192, 1, 2))),
        (NFS, 4, 1, compound(struct.pack(">I", 35) + bytes(8) + pad(b"client") + struct.pack(">I", 7) + pad(b"tcp") + pad(b"0.0.0.0.0.0") + bytes(4))),
        (NFS, 4, 1, compound(struct.pack(">I", 42) + bytes(8) + pad(b"owner") + bytes(12))),
    ]
    client, sent, answered, anew = None, 0, 0, 0
    while sent < count:
        if client is None:
            client = Client(server, own, 5)
            anew += 1
            client.socket.setblocking(False)
        batch = bytearray()
        for _ in range(16):
            program, version, procedure, arguments = dice.choice(good)
            body = bytearray(message(dice.getrandbits(32), program, version, procedure, arguments))
            for _ in range(dice.choice((0, 1, 1, 2, 8))):
                # Seldom the mark before the call: then the stream itself is broken.
                low = 0 if dice.random() < 0.01 else 4
                body[dice.randrange(low, len(body))] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.getrandbits(8)))
            batch += body
            sent += 1
        try:
            view, end = memoryview(batch), time.monotonic() + 5
            while view:
                ready = select.select([client.socket], [client.socket], [], 5)
                if ready[0]:
                    data = client.socket.recv(1 << 20)
                    if not data:
                        raise EOFError
                    answered += len(data)
                if ready[1]:
                    view = view[client.socket.send(view):]
                if time.monotonic() > end:
                    raise TimeoutError
        except (OSError, EOFError):
            client.socket.close()
            client = None
    print(f"sent {sent} connections {anew} answered {answered} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
