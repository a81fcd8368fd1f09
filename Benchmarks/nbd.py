"""NBD, a 2 GiB export in the page cache: small random reads, long sequential ones, writes, and private copy-on-write."""
import functools, os, shutil, rig

# name: mode, what the client does, block, depth, connections, writes before each flush
CASES = {"read4k-q1-c1": ("ro", "random-read", 4096, 1, 1, 0), "read4k-q32-c1": ("ro", "random-read", 4096, 32, 1, 0),
         "read4k-q32-c4": ("ro", "random-read", 4096, 32, 4, 0), "read4k-q4-c64": ("ro", "random-read", 4096, 4, 64, 0),
         "read64k-q8-c1": ("ro", "sequential-read", 65536, 8, 1, 0), "read64k-q2-c64": ("ro", "sequential-read", 65536, 2, 64, 0),
         "read1m-q4-c1": ("ro", "sequential-read", 1 << 20, 4, 1, 0), "write4k-q32-c1": ("rw", "random-write", 4096, 32, 1, 0),
         "write4k-flush32": ("rw", "random-write", 4096, 32, 1, 32), "write1m-q4-c1": ("rw", "sequential-write", 1 << 20, 4, 1, 0),
         "cow-write4k-q32-c1": ("cow", "random-write", 4096, 32, 1, 0), "cow-write4k-q4-c64": ("cow", "random-write", 4096, 4, 64, 0),
         "cow-read4k-q32-c1": ("cow", "random-read", 4096, 32, 1, 0), "cow-write4k-flush32": ("cow", "random-write", 4096, 32, 1, 32)}
# The same of blocks that the layer has already: this much of it is written over the same connection first.
FILLED = {"cow-reread4k-q32-c1": ("cow", "random-read", 4096, 32, 1, 0),
          "cow-rewrite4k-q32-c1": ("cow", "random-write", 4096, 32, 1, 0),
          "cow-rewrite4k-flush32": ("cow", "random-write", 4096, 32, 1, 32)}
CASES |= FILLED
FILL = 256 << 20
MODES = ("ro", "rw", "cow")
PEERS = ("diskless", "nbdkit", "nbd-server")
TRIOS = {}
PORT = {(peer, mode): 18101 + 3 * i + j for i, peer in enumerate(PEERS) for j, mode in enumerate(MODES)}


def command(peer, mode, file, folder):
    port = PORT[peer, mode]
    if peer == "diskless":
        extra = {"ro": [], "rw": ["--writable"], "cow": ["--cow", folder + "/layer"]}[mode]
        return [*rig.diskless().split(), "serve", "nbd", file, "--listen", f"127.0.0.1:{port}", *extra]
    if peer == "nbdkit":
        extra = {"ro": ["-r"], "rw": [], "cow": ["--filter=cow"]}[mode]
        return [rig.find("nbdkit"), "-f", "-p", str(port), "-i", "127.0.0.1", *extra, "file", file]
    conf = f"{folder}/nbd-server.conf"
    with open(conf, "w") as out:
        out.write(f"[generic]\nport={port}\nlistenaddr=127.0.0.1\n[disk]\nexportname={file}\nflush=true\nfua=true\n"
                  f"readonly={str(mode == 'ro').lower()}\ncopyonwrite={str(mode == 'cow').lower()}\n"
                  + (f"cowdir={folder}\n" if mode == "cow" else ""))
    return [rig.find("nbd-server"), "-C", conf]


class Trio:
    """One peer's servers for the three modes, seen as one."""

    def __init__(self, servers):
        self.servers = servers
        self.gone = 0

    def cpu(self):
        return self.gone + sum(server.cpu() for server in self.servers)

    def renew_layer(self, peer, file):
        """Starts the last of them, that of mode cow, anew with an empty layer; what that costs does not count."""
        before = self.cpu()
        self.servers.pop().stop()
        self.servers.append(serve(peer, "cow", file))
        self.gone += before - self.cpu()

    def stop(self):
        for server in self.servers:
            server.stop()


def serve(peer, mode, file):
    folder = os.path.join(rig.SCRATCH, f"{peer}-{mode}")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    if mode == "rw":
        file = shutil.copyfile(file, folder + "/disk")
    server = rig.Server(f"{peer}-{mode}", command(peer, mode, file, folder))
    server.wait_tcp("127.0.0.1", PORT[peer, mode])
    return server


@functools.cache
def disk():
    return rig.pattern_file("disk", 2 << 30)


def start(wanted):
    rig.compile_client("nbd_load")
    for peer in PEERS:
        if peer != "diskless" and not (wanted(peer) and rig.find(peer)):
            continue
        servers = TRIOS[peer] = Trio([])
        yield peer, servers
        for mode in MODES:
            servers.servers.append(serve(peer, mode, disk()))


def once(case, name, seconds):
    mode, work, block, depth, connections, flush = CASES[case]
    if mode == "cow" and name != "nbd-server":  # whose layer is new with each connection
        TRIOS[name].renew_layer(name, disk())
    got = rig.run_client([rig.compile_client("nbd_load"), "127.0.0.1", PORT[name, mode], "disk", work, block, depth, connections,
                          seconds, flush, FILL if case in FILLED else 0])
    if case in FILLED:  # the CPU time of the filling is in it
        return got["ops_s"], "op/s", 0, "us/op"
    if block == 4096:
        return got["ops_s"], "op/s", got["ops"] / 1e6, "us/op"
    return got["mb_s"], "MB/s", got["bytes"] / 1e9, "s/GB"
