"""DNS: A records of 10,000 nodes by UDP, beside dnsmasq with the same names in a hosts file."""
import os, shutil, subprocess, tempfile, rig, fleet

# name: questions under way
CASES = {"d1": 1, "d32": 32, "d256": 256}
PORTS = {"diskless": ("10.99.0.1", 53), "dnsmasq": ("127.0.1.5", 53)}


def start(wanted):
    rig.compile_client("dns_load")
    state = tempfile.mkdtemp(prefix="dns-", dir=rig.SCRATCH)
    configuration = os.path.join(state, "diskless.yaml")
    with open(configuration, "w") as out:
        out.write("dns: {listen: [10.99.0.1], upstreams: [\"127.0.0.9:53\"]}\n")
    fleet_file = os.path.join(state, "fleet.yaml")
    fleet.write_fleet(fleet_file, 0)
    with open(fleet_file) as text:
        named = text.read().replace("{name: hall,", "{name: hall, domain: lab.example,")
    with open(fleet_file, "w") as out:
        out.write(named)
    server = rig.Server("diskless", [*rig.diskless().split(), "serve", "--state", state, "--interface", "bench0", "--dhcp", "off",
                                     "--config", configuration])
    stop = server.stop

    def end():
        stop()
        shutil.rmtree(state, ignore_errors=True)

    server.stop = end
    server.wait_tcp("10.99.0.1", 8067)
    subprocess.run([*rig.diskless().split(), "apply", fleet_file, "--state", state], check=True, stdout=subprocess.DEVNULL)
    yield "diskless", server
    if wanted("dnsmasq") and rig.find("dnsmasq"):
        hosts = os.path.join(rig.SCRATCH, "hosts")
        with open(hosts, "w") as out:
            for number in range(fleet.NODES):
                out.write(f"{fleet.address(number + 256)} n{number}.lab.example\n")
        yield "dnsmasq", rig.Server("dnsmasq", [
            rig.find("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--addn-hosts=" + hosts,
            "--listen-address=" + PORTS["dnsmasq"][0], "--bind-interfaces", "--user=root", "--pid-file=", "--log-facility=/dev/null"])
    rig.time.sleep(1)


def once(case, name, seconds):
    got = rig.run_client([rig.compile_client("dns_load"), *PORTS[name], fleet.NODES, CASES[case], seconds])
    return got["per_s"], "/s", got["answers"] / 1e6, "us"
