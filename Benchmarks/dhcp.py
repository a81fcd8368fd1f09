"""DHCP: addresses for machines behind a relay agent, on a wire to a namespace for each server, leases kept on the disk."""
import json, os, rig, shutil, subprocess, time

# name: machines, how many at once, as firmware
CASES = {"n1-w1": (1, 1, 0), "n50k-w1": (50_000, 1, 0), "n50k-w16": (50_000, 16, 0), "n50k-w64": (50_000, 64, 0),
         "n50k-w64-pxe": (50_000, 64, 1), "n50k-w512": (50_000, 512, 0)}
PEERS = ["diskless", "dnsmasq", "kea"]


def wire(peer):
    """A namespace for the server with 10.N.0.1 on eth0, and 10.N.0.2 on our end; the server's words about it."""
    number = 100 + PEERS.index(peer)
    name, net = "dhcp-" + peer, f"10.{number}"
    subprocess.run(f"ip netns add {name} && ip link add w{number} type veth peer name eth0 netns {name} && ip addr add {net}.0.2/16 dev w{number} "
                   f"&& ip link set w{number} up && ip -n {name} addr add {net}.0.1/16 dev eth0 && ip -n {name} link set eth0 up "
                   f"&& ip -n {name} link set lo up", shell=True, check=True)
    return name, net


def command(peer, net, folder):
    if peer == "dnsmasq":
        return [rig.find("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", f"--dhcp-range={net}.1.0,{net}.254.254,255.255.0.0,1h",
                "--dhcp-lease-max=100000", f"--dhcp-leasefile={folder}/leases", "--no-ping", "--dhcp-authoritative", "--interface=eth0",
                f"--dhcp-boot=boot.efi,,{net}.0.1", "--user=root", "--pid-file=", "--log-facility=/dev/null"]
    if peer == "kea":
        subnet = {"subnet": net + ".0.0/16", "pools": [{"pool": f"{net}.1.0 - {net}.254.254"}], "option-data": [{"name": "routers", "data": net + ".0.1"}]}
        with open(folder + "/kea.json", "w") as out:
            json.dump({"Dhcp4": {"interfaces-config": {"interfaces": ["eth0"], "dhcp-socket-type": "udp"}, "valid-lifetime": 3600, "subnet4": [subnet],
                                 "lease-database": {"type": "memfile", "persist": True, "name": folder + "/leases", "lfc-interval": 0},
                                 "next-server": net + ".0.1", "boot-file-name": "boot.efi",
                                 "loggers": [{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": "stderr"}]}]}}, out)
        return ["env", "KEA_PIDFILE_DIR=" + folder, "KEA_LOCKFILE_DIR=" + folder, "KEA_LOGGER_DESTINATION=stderr", rig.find("kea-dhcp4"),
                "-c", folder + "/kea.json"]
    with open(folder + "/fleet.yaml", "w") as out:
        out.write(f"networks:\n  - {{name: bench, interface: eth0, subnet: {net}.0.0/16, dhcp: full, pools: [{net}.1.0-{net}.254.254], "
                  f"router: {net}.0.1, lease: 1h}}\n")
    return [*rig.diskless().split(), "serve", "--state", folder + "/state", "--log", "warning"]


def start(wanted):
    rig.compile_client("dhcp_load")
    for peer in PEERS:
        if peer != "diskless" and not (wanted(peer) and rig.find({"kea": "kea-dhcp4"}.get(peer, peer))):
            continue
        folder = os.path.join(rig.SCRATCH, "dhcp-" + peer)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        name, net = wire(peer)
        yield peer, rig.Server("dhcp-" + peer, [rig.find("ip"), "netns", "exec", name, *command(peer, net, folder)])
        if peer == "diskless":
            apply = [*rig.diskless().split(), "apply", folder + "/fleet.yaml", "--state", folder + "/state"]
            for _ in range(100):
                if subprocess.run(apply, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                    break
                time.sleep(.1)
    time.sleep(2)


def once(case, name, seconds):
    machines, window, pxe = CASES[case]
    net = f"10.{100 + PEERS.index(name)}"
    got = rig.run_client([rig.compile_client("dhcp_load"), net + ".0.1", net + ".0.2", machines, window, pxe, seconds])
    if got["repeated"] or got["refused"]:
        print(f"{case:24} {name:11} asked again {got['repeated']:.0f} times, was refused {got['refused']:.0f} times", flush=True)
    return got["dora_s"], "DORA/s", got["exchanges"] / 1e6, "us/DORA"
