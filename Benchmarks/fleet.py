"""A fleet of 10,000 nodes: what one machine, one command and one change take. There is no peer: figures, not ratios."""
import hashlib, json, os, shutil, subprocess, sys, tempfile, time, rig

NODES = 10_000
# name: the command, its limit from the goals in docs/performance.md
CASES = {
    "discover-to-offer": None,
    "node-list": ["node", "list"],
    "node-list-json": ["node", "list", "--json"],
    "apply-10000": None,
    "apply-10000-unchanged": None,
    "node-add": None,
    "node-set": None,
    "node-rm": None,
    "profile-set": None,
    "export": ["export"],
    "status": ["status"],
}
state = None
turns = 0


def address(number):
    return f"10.98.{number >> 8}.{number & 255}"


def write_fleet(path, variant, dhcp="proxy"):
    with open(path, "w") as out:
        out.write(f"networks:\n  - {{name: hall, subnet: 10.98.0.0/16, dhcp: {dhcp}}}\nprofiles:\n"
                  "  - {name: default, kernel-arguments: [quiet]}\n"
                  "  - {name: compute, inherits: [default], variables: {partition: cpu}, state: [/etc/ssh]}\n"
                  "  - {name: gpu, inherits: [compute], variables: {partition: gpu}}\n"
                  '  - {name: pis, selectors: [{mac: "b8:27:eb"}], volatile: [/var/log]}\nnodes:\n')
        for number in range(NODES):
            out.write(f'  - {{name: n{number}, mac: "52:54:01:00:{number >> 8:02x}:{number & 255:02x}", '
                      f"address: {address(number + 256)}, profiles: [{'gpu' if number % 10 == 0 else 'compute'}], "
                      f"variables: {{seat: {number}, round: {variant}}}}}\n")


def make_image(folder):
    """An image of made-up files, so that a plan is whole."""
    os.makedirs(folder)
    files = {}
    for role, name in (("kernel", "kernel"), ("initramfs", "initramfs"), ("root", "root.squashfs")):
        content = name.encode() * 100
        with open(os.path.join(folder, name), "wb") as out:
            out.write(content)
        files[role] = {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    with open(os.path.join(folder, "manifest.json"), "w") as out:
        json.dump({"architecture": "amd64", "created": "2026-01-01T00:00:00.000Z", "extraFiles": [], "files": files, "kernelArguments": [],
                   "kernelRelease": "6.1.0", "name": "bench", "number": 1, "rootFormat": "squashfs", "schema": 1,
                   "provenance": {"command": [], "packageCount": 1, "recipe": "debian", "suite": "bookworm", "tools": {}}}, out)


def run(*words):
    begin = time.perf_counter()
    done = subprocess.run([*rig.diskless().split(), *words, "--state", state], capture_output=True, text=True, timeout=120,
                          preexec_fn=lambda: rig.PINNED and os.sched_setaffinity(0, rig.CLIENT_CORE))
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[0][:160] if done.stderr else f"exit {done.returncode}")
    return (time.perf_counter() - begin) * 1e3, done.stdout


def start(wanted):
    global state
    state = tempfile.mkdtemp(prefix="fleet-", dir=rig.SCRATCH)
    subprocess.run("ip netns add bench-client && ip link set bench1 netns bench-client && ip -n bench-client addr add 10.99.0.2/24 dev "
                   "bench1 && ip -n bench-client link set bench1 up", shell=True, check=True)
    server = rig.Server("diskless", [*rig.diskless().split(), "serve", "--state", state, "--interface", "bench0", "--dhcp", "proxy"])
    stop = server.stop

    def end():
        stop()
        subprocess.run("ip -n bench-client link set bench1 netns 1; ip netns delete bench-client", shell=True, stderr=subprocess.DEVNULL)
        shutil.rmtree(state, ignore_errors=True)

    server.stop = end
    server.wait_tcp("10.99.0.1", 8067)
    make_image(os.path.join(state, "images", "bench", "1"))
    write_fleet(os.path.join(state, "fleet-0.yaml"), 0)
    write_fleet(os.path.join(state, "fleet-1.yaml"), 1)
    run("apply", os.path.join(state, "fleet-0.yaml"))
    yield "diskless", server


def once(case, name, seconds):
    global turns
    turns += 1
    if case == "discover-to-offer":
        got = rig.run_client(["ip", "netns", "exec", "bench-client", sys.executable, os.path.join(rig.HERE, "clients", "discover.py"),
                              "10.99.0.1", "10.99.0.2", NODES, int(2000 * seconds)])
        return got["median_us"], "us", got["offers"] / 1e6, "s/Mio"
    if CASES[case]:
        took, output = run(*CASES[case])
        if case.startswith("node-list") and output.count("n9999") < 1:
            raise RuntimeError("the list is not whole")
    elif case == "apply-10000":
        took, output = run("apply", os.path.join(state, f"fleet-{turns % 2}.yaml"))
        if "nothing" in output:
            took, output = run("apply", os.path.join(state, f"fleet-{(turns + 1) % 2}.yaml"))
        if f"{NODES} changed" not in output:
            raise RuntimeError(output[-100:])
    elif case == "apply-10000-unchanged":
        changed = open(os.path.join(state, "unchanged.yaml"), "w")
        changed.write(run("export")[1])
        changed.close()
        took, output = run("apply", changed.name)
        if "nothing to change" not in output:
            raise RuntimeError(output[-100:])
    elif case == "node-add":
        took, _ = run("node", "add", f"x{turns}", "--mac", f"02:00:00:01:{turns >> 8 & 255:02x}:{turns & 255:02x}")
    elif case == "node-set":
        took, _ = run("node", "set", f"n{turns * 37 % NODES}", f"kernel-arguments=[turn={turns}]")
    elif case == "node-rm":
        run("node", "add", f"y{turns}", "--mac", f"02:00:00:02:{turns >> 8 & 255:02x}:{turns & 255:02x}")
        took, _ = run("node", "rm", f"y{turns}")
    elif case == "profile-set":
        took, _ = run("profile", "set", "gpu", f"kernel-arguments=[turn={turns}]")
    return took, "ms", 1, "s/run"
