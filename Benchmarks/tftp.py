"""TFTP reads of a 60 MB file."""
import os, rig

# name: clients, block size, window
CASES = {f"n{n}-b{b}-w{w}": (n, b, w) for b, w in ((1468, 1), (1468, 16), (1468, 64), (512, 1)) for n in (1, 16, 128)}
ADDRESS = {"diskless": "10.99.0.1", "tftpd-hpa": "127.0.1.2", "dnsmasq": "127.0.1.3", "atftpd": "127.0.1.4"}


def start(wanted):
    root = os.path.dirname(rig.pattern_file("kernel60", 60_000_000))
    rig.compile_client("tftp_load")
    yield "diskless", rig.Server("diskless", [*rig.diskless().split(), "serve", "tftp", root, "--listen", ADDRESS["diskless"] + ":69"])
    if wanted("tftpd-hpa") and rig.find("in.tftpd"):
        yield "tftpd-hpa", rig.Server("tftpd-hpa", [rig.find("in.tftpd"), "-L", "--address", ADDRESS["tftpd-hpa"] + ":69", "--user", "root", "--secure", root])
    if wanted("dnsmasq") and rig.find("dnsmasq"):
        yield "dnsmasq", rig.Server("dnsmasq", [
            rig.find("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--enable-tftp", "--tftp-root=" + root,
            "--tftp-max=1000", "--listen-address=" + ADDRESS["dnsmasq"], "--bind-interfaces", "--user=root", "--pid-file=", "--log-facility=/dev/null"])
    # atftpd conflicts with tftpd-hpa: unpack its package somewhere and name the program in $ATFTPD.
    atftpd = os.environ.get("ATFTPD") or rig.find("atftpd")
    if wanted("atftpd") and atftpd:
        yield "atftpd", rig.Server("atftpd", [
            atftpd, "--daemon", "--no-fork", "--bind-address", ADDRESS["atftpd"], "--port", "69", "--maxthread", "1000", "--user", "root",
            "--group", "root", "--logfile", "/dev/null", "--verbose=0", root])
    rig.time.sleep(.7)


def once(case, name, seconds):
    clients, block, window = CASES[case]
    got = rig.run_client([rig.compile_client("tftp_load"), ADDRESS[name], 69, "kernel60", clients, block, window, seconds])
    return got["mb_s"], "MB/s", got["bytes"] / 1e9, "s/GB"
