"""The agents of 10,000 running nodes at once: what they cost while nothing happens, and how fast a change reaches all.

There is no peer: figures, not ratios. Each agent has the token of a boot of its own, which took its overlay files from the server."""
import os, re, shutil, subprocess, sys, tempfile, fleet, rig

CASES = ["agents-10000", "agents-10000-user-added", "agents-10000-memory"]
server = None
agents = None
turns = 0


def start(wanted):
    global server, agents
    fleet.state = state = tempfile.mkdtemp(prefix="agents-", dir=rig.SCRATCH)
    subprocess.run("ip netns add bench-client && ip link set bench1 netns bench-client && ip -n bench-client addr add 10.99.0.2/24 dev "
                   "bench1 && ip -n bench-client link set bench1 up && ip -n bench-client link set lo up && ip -n bench-client route add "
                   "local 10.98.0.0/16 dev lo && ip route add 10.98.0.0/16 via 10.99.0.2", shell=True, check=True)
    server = rig.Server("diskless", [*rig.diskless().split(), "serve", "--state", state, "--interface", "bench0", "--dhcp", "proxy"])
    stop = server.stop

    def end():
        if agents:
            agents.kill()
        stop()
        subprocess.run("ip -n bench-client link set bench1 netns 1; ip netns delete bench-client", shell=True, stderr=subprocess.DEVNULL)
        shutil.rmtree(state, ignore_errors=True)

    server.stop = end
    server.wait_tcp("10.99.0.1", 8067)
    fleet.make_image(os.path.join(state, "images", "bench", "1"))
    fleet.write_fleet(os.path.join(state, "fleet.yaml"), 0, "full")
    fleet.run("apply", os.path.join(state, "fleet.yaml"))
    print(f"agents-10000-idle        memory without an agent: {memory():.1f} MB", flush=True)
    agents = subprocess.Popen(["ip", "netns", "exec", "bench-client", sys.executable, os.path.join(rig.HERE, "clients", "agents.py"),
                               "10.99.0.1", str(fleet.NODES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                              preexec_fn=lambda: rig.PINNED and os.sched_setaffinity(0, rig.CLIENT_CORE))
    print("agents-10000-boots       " + agents.stdout.readline().strip(), flush=True)
    yield "diskless", server


def memory():
    with open(f"/proc/{server.process.pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024


def tell(line):
    agents.stdin.write(line + "\n")
    answer = agents.stdout.readline().split()
    if not answer or answer[0] != "ok":
        raise RuntimeError("the agents: " + " ".join(answer)[:100])
    return [float(word) for word in answer[1:]]


def once(case, name, seconds):
    global turns
    turns += 1
    if case == "agents-10000":
        count, took, failed = tell(f"run {max(20.0, 10 * seconds)}")
        if failed:
            raise RuntimeError(f"{failed} questions failed")
        return count / took, "asks/s", took, "CPU s/s"
    if case == "agents-10000-user-added":
        fleet.run("user", "add", f"user{turns}", f"uid={20000 + turns}")
        last, failed = tell("users")
        if failed:
            raise RuntimeError(f"{failed} questions failed")
        return last, "s", 1, "CPU s"
    return memory(), "MB", 1, "s"
