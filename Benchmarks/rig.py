"""What every benchmark shares: a private network, servers with exact CPU accounts, interleaved rounds, medians, ratios."""
import ctypes, os, shutil, signal, socket, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
SCRATCH = os.environ.get("BENCH_SCRATCH") or os.path.join(tempfile.gettempdir(), "diskless-benchmarks")
SERVER_CORE, CLIENT_CORE = {0}, {1}
PINNED = os.environ.get("PIN", "1") == "1" and (os.cpu_count() or 1) > 1
TICK = os.sysconf("SC_CLK_TCK")


def enter_private_network():
    """A network namespace of our own with loopback up, and a private /run: no port is taken, nothing leaks."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000 | 0x40000000):       # CLONE_NEWNS | CLONE_NEWNET
        sys.exit("benchmarks need root (unshare: " + os.strerror(ctypes.get_errno()) + ")")
    subprocess.run("mount --make-rprivate / && mount -t tmpfs none /run && ip link set lo up && ip link add bench0 type veth peer name bench1 "
                   "&& ip addr add 10.99.0.1/24 dev bench0 && ip link set bench0 up && ip link set bench1 up", shell=True, check=True)


def find(*names):
    """The first of these programs that is installed, else None."""
    for name in names:
        path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if path:
            return path
    return None


def diskless():
    """The program under test: $DISKLESS, else the release build."""
    return os.environ.get("DISKLESS") or os.path.join(HERE, "..", ".build", "release", "diskless")


def compile_client(name):
    """Builds clients/NAME.c into the scratch folder and gives its path."""
    folder, target = os.path.join(HERE, "clients"), os.path.join(SCRATCH, "bin", name)
    source, headers = os.path.join(folder, name + ".c"), [entry for entry in os.listdir(folder) if entry.endswith(".h")]
    newest = max(os.path.getmtime(os.path.join(folder, entry)) for entry in [name + ".c", *headers])
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.exists(target) or os.path.getmtime(target) < newest:
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", target, source, "-lm"], check=True)
    return target


def pattern_file(name, size):
    """A file in the page cache whose aligned 8-byte words hold their own offset."""
    import array
    path = os.path.join(SCRATCH, "data", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.exists(path) or os.path.getsize(path) != size:
        with open(path, "wb") as out:
            for start in range(0, size, 1 << 22):
                count = min(size - start, 1 << 22)
                out.write(array.array("Q", range(start, start + (count + 7) // 8 * 8, 8)).tobytes()[:count])
    with open(path, "rb", buffering=0) as data:
        while data.read(1 << 22):
            pass
    return path


def own_cgroup():
    """A cgroup below the unified tree where that is writable: exact CPU time, also of children that leave the session."""
    for base in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        if os.path.exists(base + "/cgroup.procs") and os.path.exists(base + "/cgroup.controllers"):
            path = f"{base}/diskless-bench-{os.getpid()}-{time.monotonic_ns()}"
            try:
                os.mkdir(path)
                return path
            except OSError:
                pass
    return None


class Server:
    """One server and its children, in a cgroup (else a session) of their own, on the server core."""

    def __init__(self, name, argv):
        self.name, self.cgroup = name, own_cgroup()
        log = open(os.path.join(SCRATCH, name + ".log"), "w")
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                        preexec_fn=self.settle)

    def settle(self):
        if self.cgroup:
            with open(self.cgroup + "/cgroup.procs", "w") as procs:
                procs.write(str(os.getpid()))
        if PINNED:
            os.sched_setaffinity(0, SERVER_CORE)

    def members(self):
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    fields = open(f"/proc/{entry}/stat").read().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[3]) == self.process.pid and fields[0] != "Z":
                    yield int(entry), fields

    def cpu(self):
        """CPU seconds so far. Without a cgroup: of living members, and of dead ones that were waited for."""
        if self.cgroup:
            with open(self.cgroup + "/cpu.stat") as stat:
                return int(stat.readline().split()[1]) / 1e6
        return sum(sum(map(int, fields[11:15])) for _, fields in self.members()) / TICK

    def wait_tcp(self, address, port):
        for _ in range(200):
            try:
                return socket.create_connection((address, port), 1).close()
            except OSError:
                if self.process.poll() not in (None, 0):  # 0: it has gone into the background, as nbd-server does
                    break
                time.sleep(.05)
        raise RuntimeError(f"{self.name} does not listen, see {SCRATCH}/{self.name}.log")

    def stop(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid, _ in list(self.members()):
                try:
                    os.kill(pid, number)
                except OSError:
                    pass
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                pass
        if self.cgroup:
            try:
                with open(self.cgroup + "/cgroup.kill", "w") as kill:     # children that left the session
                    kill.write("1")
                time.sleep(.1)
                os.rmdir(self.cgroup)
            except OSError:
                pass


def run_client(argv, seconds=60):
    """Runs a load client on its core. Its last line is `name=value ...`; gives them as a dictionary of numbers."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=seconds,
                          preexec_fn=lambda: PINNED and os.sched_setaffinity(0, CLIENT_CORE))
    lines = [line for line in done.stdout.splitlines() if "=" in line]
    if done.returncode or not lines:
        raise RuntimeError((done.stderr.strip() or f"exit {done.returncode}").splitlines()[0][:120])
    return {key: float(value) for key, value in (pair.split("=") for pair in lines[-1].split())}


def compare(cases, servers, once, rounds):
    """Each round runs every server once per case, in turning order. once(case, name) -> (rate, unit, work, work unit).
    Where work is 0 nothing is said of CPU time.

    Prints for each server the median rate, the CPU per unit of work, and both as ratios of ours ('diskless') to the best peer.
    """
    for case in cases:
        seen = {name: [] for name in servers}
        for turn in range(rounds):
            order = list(servers)
            for name in order[turn % len(order):] + order[:turn % len(order)]:
                before = servers[name].cpu()
                try:
                    rate, unit, work, per = once(case, name)
                except Exception as problem:        # a peer that cannot do a case is a gap, not an end
                    seen[name].append(str(problem))
                    continue
                time.sleep(.1)
                seen[name].append((rate, unit, (servers[name].cpu() - before) / work if work else 0, per))
        report(case, seen)


def report(case, seen):
    rows = {}
    for name, runs in seen.items():
        good = [run for run in runs if isinstance(run, tuple)]
        if not good:
            print(f"{case:24} {name:11} cannot: {runs[0] if runs else 'not run'}", flush=True)
            continue
        rows[name] = (statistics.median(r[0] for r in good), good[0][1], statistics.median(r[2] for r in good), good[0][3])
    peers = {name: row for name, row in rows.items() if name != "diskless"}
    for name, (rate, unit, cpu, per) in rows.items():
        line = f"{case:24} {name:11} {rate:11.1f} {unit:6}" + (f" {cpu:9.3f} {per}" if cpu else "")
        if name == "diskless" and peers:
            best, least = max(r[0] for r in peers.values()), min(r[2] for r in peers.values())
            line += f"   x{rate / best:.2f} of the fastest peer" + (f", x{cpu / least:.2f} of the least CPU" if least else "")
        print(line, flush=True)
