#!/usr/bin/env python3
"""Many nodes at once, for tests alone: each gets an address of its own as if behind a relay, fetches its script, opens the block
export that it names and the tree of its setting `mounts`, writes and reads in both, and stays.

    crowd.py SERVER NODES DIRECTORY SECONDS     the fleet calls them n0, n1, …: 52:54:02:00:HH:LL, 10.78.HH.LL from 256 on
Prints "ready" when all are connected and at work, and at the end what was done. Exit status 1: something is wrong."""
import importlib.machinery, importlib.util, os, random, re, resource, socket, struct, sys, time, urllib.parse, http.client

# Nothing is left beside the program that is read.
sys.dont_write_bytecode = True
place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nfs-calls.py")
loader = importlib.machinery.SourceFileLoader("calls", place)
calls = importlib.util.module_from_spec(importlib.util.spec_from_loader("calls", loader))
loader.exec_module(calls)
RELAY, BLOCK = "10.78.0.1", 16384


def address(number):
    return f"10.78.{number + 256 >> 8}.{number & 255}"


def take_leases(server, numbers, wire):
    """DISCOVER and REQUEST of each of these nodes."""
    offers = {}
    for kind in (1, 3):
        for number in numbers:
            wanted = b"" if kind == 1 else b"\x32\x04" + offers[number][0] + b"\x36\x04" + offers[number][1]
            head = struct.pack("!BBBBIHH4s4s4s4s", 1, 1, 6, 1, number + 1, 0, 0, b"", b"", b"", socket.inet_aton(RELAY))
            mac = struct.pack("!IH", 0x52540200, number).ljust(16, b"\0")
            wire.sendto(head + mac + bytes(192) + b"\x63\x82\x53\x63" + bytes([53, 1, kind]) + wanted + b"\x37\x02\x01\x03\xff", (server, 67))
        for _ in numbers:
            reply = wire.recv(2048)
            at = reply.index(b"\x36\x04", 240) + 2
            offers[struct.unpack_from("!I", reply, 4)[0] - 1] = reply[16:20], reply[at:at + 4]
    for number in numbers:
        assert offers[number][0] == socket.inet_aton(address(number)), f"n{number} got {socket.inet_ntoa(offers[number][0])}"


class Disk:
    """A session of NBD with simple replies."""
    exactly = calls.Client.exactly

    def __init__(self, server, own, export):
        self.socket = socket.socket()
        self.socket.bind((own, 0))
        self.socket.settimeout(30)
        self.socket.connect((server, 10809))
        self.exactly(18)
        self.socket.sendall(struct.pack(">I", 3) + b"IHAVEOPT" + struct.pack(">III", 7, len(export) + 6, len(export)) + export + bytes(2))
        kind = 0
        while kind != 1:
            _, _, kind, length = struct.unpack(">QIII", self.exactly(20))
            said = self.exactly(length)
            assert not kind >> 31, f"NBD refuses {export}: {said}"

    def ask(self, command, offset, data=b"", count=0):
        self.socket.sendall(struct.pack(">IHHQQI", 0x25609513, 0, command, 7, offset, len(data) or count) + data)

    def take(self, count=0):
        magic, error, _ = struct.unpack(">IIQ", self.exactly(16))
        assert (magic, error) == (0x67446698, 0), f"NBD answers {magic:x} {error}"
        return self.exactly(count)


class Node:
    def __init__(self, server, number, directory):
        own, mac = address(number), f"52-54-02-00-{number >> 8:02x}-{number & 255:02x}"
        link = http.client.HTTPConnection(server, 8067, source_address=(own, 0), timeout=30)
        link.request("GET", f"/boot/{mac}/script.ipxe")
        script = link.getresponse().read().decode()
        link.close()
        root = re.search(r"diskless\.root=nbd://[0-9.]+(?::\d+)?/(\S+)", script)
        assert root, script
        self.disk = Disk(server, own, urllib.parse.unquote(root[1]).encode())
        self.tree, self.number, self.rounds = calls.Client(server, own, 30), number, 0
        top = self.answer(self.tree.call(calls.MOUNT, 3, 1, calls.pad(directory.encode())))
        made = self.tree.call(calls.NFS, 3, 8, top + calls.pad(b"n%d" % number) + struct.pack(">III", 0, 1, 0o644) + bytes(20))
        self.file = self.answer(made[:4] + made[8:])

    @staticmethod
    def answer(reply):
        assert reply[:4] == bytes(4), f"status {reply[:4].hex()}"
        return calls.pad(reply[8:8 + struct.unpack(">I", reply[4:8])[0]])

    def write(self):
        """Both at once: the disk's block and the file's, of this node alone and new in each round."""
        self.rounds += 1
        self.data = (b"%08d%08d" % (self.number, self.rounds)) * (BLOCK // 16)
        self.offset = random.randrange(0, 1 << 20, BLOCK)
        self.disk.ask(1, self.offset, self.data)
        self.tree.socket.sendall(calls.message(1, calls.NFS, 3, 7, self.file + struct.pack(">QII", 0, BLOCK, 0) + calls.pad(self.data)))

    def read(self):
        self.disk.take()
        assert self.tree.reply()[24:28] == bytes(4)
        self.disk.ask(0, self.offset, count=BLOCK)
        self.tree.socket.sendall(calls.read_call(2, self.file, 0, BLOCK))

    def check(self):
        assert self.disk.take(BLOCK) == self.data, f"n{self.number} reads other bytes from its disk"
        assert self.tree.reply()[-BLOCK:] == self.data, f"n{self.number} reads other bytes from its file"


def main(server, count, directory, seconds):
    most = 2 * count + 100
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, max(most, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind((RELAY, 67))
    wire.settimeout(10)
    for first in range(0, count, 50):
        take_leases(server, range(first, min(count, first + 50)), wire)
    nodes, end, rounds = [Node(server, number, directory) for number in range(count)], None, 0
    while end is None or time.monotonic() < end:
        for step in (Node.write, Node.read, Node.check):
            for node in nodes:
                step(node)
        rounds += 1
        if end is None:
            print("ready", flush=True)
            end = time.monotonic() + seconds
    print(f"nodes {count} rounds {rounds}", flush=True)


main(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
