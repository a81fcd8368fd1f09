"""usage: agents.py SERVER NODES: plays the agents of the fleet of fleet.py, as node/agent asks, one connection for each question.

First each node boots: its script, then its overlay files with the token. Then commands come on standard input:
`run SECONDS` says `ok ASKS SECONDS FAILED`; `users` waits until all have taken an account file they did not have,
and says `ok SECONDS FAILED`."""
import hashlib, heapq, http.client, re, select, socket, sys, time

server, nodes = sys.argv[1], int(sys.argv[2])
CONDITION = b"load 0.01\nuptime 1000\nmemory 4000000 3000000\nroot 1000000 500000\nkernel 6.1.0\nusers "


def token_of(mac, link):
    link.request("GET", f"/boot/{mac}/script.ipxe")
    script = link.getresponse().read().decode()
    boot = re.search(rf"/boot/{mac}/([0-9a-f]{{32}})/", script)[1]
    link.request("GET", f"/boot/{mac}/{boot}/overlay.cpio")
    archive = link.getresponse().read()
    name = archive.index(b"diskless/overlay/run/diskless/token\0")
    head = archive[name - 110:name]
    begin = name - 110 + (110 + int(head[94:102], 16) + 3) // 4 * 4
    return archive[begin:begin + int(head[54:62], 16)].strip()


class Agent:
    def __init__(self, number, token):
        self.head = b" /node/n%d/%%s HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %%d\r\n\r\n" % (number, token)
        self.digest, self.rounds = b"-", 0

    def begin(self, word):
        body = CONDITION + self.digest + b"\n" if word == b"ask" else b""
        self.word, self.got = word, b""
        self.data = (b"POST" if word == b"ask" else b"GET") + self.head % (word, len(body)) + body
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex((server, 8067))
        by_descriptor[self.socket.fileno()] = self
        poll.register(self.socket.fileno(), select.EPOLLOUT)

    def ready(self, event):
        if event & select.EPOLLOUT and self.data:
            try:
                self.socket.send(self.data)             # small: it goes as a whole
            except OSError:
                return self.end(False)
            self.data = b""
            self.socket.shutdown(socket.SHUT_WR)        # as nc does at the end of its input
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
link = http.client.HTTPConnection(server, 8067)
crew = [Agent(n, token_of(f"52-54-01-00-{n >> 8:02x}-{n & 255:02x}", link)) for n in range(nodes)]
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
