"""usage: agents.py SERVER NODES: plays the agents of the fleet of fleet.py, as node/agent asks, one connection for each question.

First each node gets its address, as if behind a relay, and boots: its script, then its overlay files with the token. Then commands come on standard input:
`run SECONDS` says `ok ASKS SECONDS FAILED`; `users` waits until all have taken an account file they did not have,
and says `ok SECONDS FAILED`."""
import hashlib, heapq, http.client, re, select, socket, struct, sys, time

server, nodes = sys.argv[1], int(sys.argv[2])
CONDITION = b"load 0.01\nuptime 1000\nmemory 4000000 3000000\nroot 1000000 500000\nkernel 6.1.0\nusers "


def address(number):
    """As in fleet.py: every node has one of its own."""
    return f"10.98.{number + 256 >> 8}.{number & 255}"


def lease(numbers):
    """An address for each of these nodes, by DISCOVER and REQUEST."""
    offers, wire = {}, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    wire.bind(("10.98.0.1", 67))
    wire.settimeout(5)
    for kind in (1, 3):
        for number in numbers:
            wanted = b"" if kind == 1 else b"\x32\x04" + offers[number][0] + b"\x36\x04" + offers[number][1]
            wire.sendto(struct.pack("!BBBBIHH4s4s4s4s16s192s4s", 1, 1, 6, 1, number + 1, 0, 0, b"", b"", b"", socket.inet_aton("10.98.0.1"),
                                    struct.pack("!IH", 0x52540100, number), b"", b"\x63\x82\x53\x63")
                        + bytes([53, 1, kind]) + wanted + b"\x37\x02\x01\x03\xff", (server, 67))
        for _ in numbers:
            reply = wire.recv(2048)
            begin = reply.index(b"\x36\x04", 240) + 2
            offers[struct.unpack_from("!I", reply, 4)[0] - 1] = reply[16:20], reply[begin:begin + 4]
    wire.close()


def token_of(number):
    mac = f"52-54-01-00-{number >> 8:02x}-{number & 255:02x}"
    link = http.client.HTTPConnection(server, 8067, source_address=(address(number), 0))
    link.request("GET", f"/boot/{mac}/script.ipxe")
    script = link.getresponse().read().decode()
    boot = re.search(rf"/boot/{mac}/([0-9a-f]{{32}})/", script)[1]
    link.request("GET", f"/boot/{mac}/{boot}/overlay.cpio")
    archive = link.getresponse().read()
    link.close()
    name = archive.index(b"diskless/overlay/run/diskless/token\0")
    head = archive[name - 110:name]
    begin = name - 110 + (110 + int(head[94:102], 16) + 3) // 4 * 4
    return archive[begin:begin + int(head[54:62], 16)].strip()


class Agent:
    def __init__(self, number, token):
        self.head = b" /node/n%d/%%s HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %%d\r\n\r\n" % (number, token)
        self.digest, self.address = b"-", address(number)

    def begin(self, word):
        body = CONDITION + self.digest + b"\n" if word == b"ask" else b""
        self.word, self.got = word, b""
        self.data = (b"POST" if word == b"ask" else b"GET") + self.head % (word, len(body)) + body
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.bind((self.address, 0))
        self.socket.connect_ex((server, 8067))
        by_descriptor[self.socket.fileno()] = self
        poll.register(self.socket.fileno(), select.EPOLLOUT)

    def ready(self, event):
        if event & select.EPOLLOUT and self.data:
            try:
                self.socket.send(self.data)             # small: it goes as a whole
                self.socket.shutdown(socket.SHUT_WR)    # as nc does at the end of its input
            except OSError:                             # the server is full, and has closed already
                return self.end(False)
            self.data = b""
            poll.modify(self.socket.fileno(), select.EPOLLIN)
            return
        try:
            piece = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            return self.end(False)
        self.got += piece
        if not piece:
            self.end(self.got.startswith(b"HTTP/1.") and self.got[9:10] == b"2")

    def end(self, good):
        global asks, failed, changed
        poll.unregister(self.socket.fileno())
        del by_descriptor[self.socket.fileno()]
        self.socket.close()
        wait, word = 0, b"ask"
        body = self.got.partition(b"\r\n\r\n")[2]
        if not good:
            failed, wait = failed + 1, 2
        elif self.word == b"users":
            self.digest, changed = hashlib.sha256(body).hexdigest().encode(), changed + 1
        else:
            asks += 1
            for line in body.split(b"\n"):
                if line.startswith(b"pause"):
                    wait = int(line.split()[1])
                elif line == b"users":
                    word = b"users"
        if wait:
            heapq.heappush(later, (time.monotonic() + wait, id(self), self, word))
        else:
            self.begin(word)


def go_on(until):
    """Plays until the time, or until `until()` is true."""
    while not until():
        now = time.monotonic()
        while later and later[0][0] <= now:
            _, _, agent, word = heapq.heappop(later)
            agent.begin(word)
        for descriptor, event in poll.poll(min(.05, max(0, later[0][0] - now)) if later else .05):
            if descriptor in by_descriptor:
                by_descriptor[descriptor].ready(event)


begin = time.monotonic()
for first in range(0, nodes, 50):
    lease(range(first, min(nodes, first + 50)))
crew = [Agent(n, token_of(n)) for n in range(nodes)]
poll, by_descriptor, later, asks, failed, changed = select.epoll(), {}, [], 0, 0, 0
booted = time.monotonic()
for number, agent in enumerate(crew):
    heapq.heappush(later, (booted + 12 * number / nodes, id(agent), agent, b"ask"))
go_on(lambda: changed >= nodes and time.monotonic() > booted + 15)
print(f"{nodes} boots in {booted - begin:.1f} s; failed questions: {failed}", flush=True)
while True:
    ready = []
    go_on(lambda: ready.extend(select.select([sys.stdin], [], [], 0)[0]) or bool(ready))
    words = sys.stdin.readline().split()
    if not words:
        break
    begin, asks, failed, changed = time.monotonic(), 0, 0, 0
    if words[0] == "run":
        go_on(lambda: time.monotonic() > begin + float(words[1]))
        print(f"ok {asks} {time.monotonic() - begin:.3f} {failed}", flush=True)
    else:
        go_on(lambda: changed >= nodes or time.monotonic() > begin + 100)
        print(f"ok {time.monotonic() - begin:.3f} {failed if changed >= nodes else failed + nodes - changed}", flush=True)
