"""NFS versions 3 and 4.1: attributes, names and rights, reads, walks over 5,000 and 20,000 small files, and changes, in the page cache."""
import os, rig, shutil

# name: export below the root, what the client does, file, block, depth, connections
WORK = {"getattr-q1": ("", "getattr", "disk", 1, 1, 1), "getattr-q64": ("", "getattr", "disk", 1, 64, 1),
        "getattr-q16-c16": ("", "getattr", "disk", 1, 16, 16), "lookup-q64": ("", "lookup", "tree/d1/file2", 1, 64, 1),
        "access-q64": ("", "access", "tree/d1/file2", 1, 64, 1), "read4k-q1": ("", "random-read", "disk", 4096, 1, 1),
        "read4k-q64": ("", "random-read", "disk", 4096, 64, 1), "read4k-q16-c16": ("", "random-read", "disk", 4096, 16, 16),
        "read128k-q8": ("", "sequential-read", "disk", 131072, 8, 1), "read1m-q4": ("", "sequential-read", "disk", 1 << 20, 4, 1),
        "walk-q32": ("/tree", "walk", "/", 4096, 32, 1), "walk20k-q32": ("/large", "walk", "/", 4096, 32, 1),
        "change-q1": ("", "change", "changes", 4096, 1, 1), "change-q16": ("", "change", "changes", 4096, 16, 1)}
CASES = {f"v{version}-{name}": (version, *what) for version in (3, 4) for name, what in WORK.items()}
PORT = {"diskless": 18301, "unfs3": 18311, "ganesha": 18321}
GANESHA = """NFS_CORE_PARAM {{ NFS_Port = {port}; MNT_Port = {mount}; Bind_addr = 127.0.0.1; Protocols = 3, 4; Enable_NLM = false;
  Enable_RQUOTA = false; Enable_UDP = false; }}
NFSv4 {{ Graceless = true; Minor_Versions = 1; Delegations = false; RecoveryBackend = fs; RecoveryRoot = "{folder}/recovery"; }}
EXPORT {{ Export_Id = 1; Path = "{root}"; Pseudo = "{root}"; Access_Type = RW; Squash = No_Root_Squash; SecType = sys;
  MaxRead = 1048576; MaxWrite = 1048576; FSAL {{ Name = VFS; }} }}
LOG {{ Default_Log_Level = WARN; }}
"""


def export():
    """The exported directory: the pattern file, small files in directories, an empty directory for changes."""
    disk = rig.pattern_file("disk", 2 << 30)
    root = os.path.join(os.path.dirname(disk), "nfs")
    shutil.rmtree(root + "/changes", ignore_errors=True)
    os.makedirs(root + "/changes")
    if not os.path.exists(root + "/disk"):
        os.link(disk, root + "/disk")
    small_files(root + "/tree", 100, 50)
    small_files(root + "/large", 100, 200)
    return root


def small_files(tree, directories, files):
    """Directories with small files in each."""
    for directory in range(directories):
        path = f"{tree}/d{directory}"
        if not os.path.exists(path):
            os.makedirs(path)
            for number in range(files):
                with open(f"{path}/file{number}", "wb") as out:
                    out.write(b"x" * (number * 191 % 9000))


def command(peer, root, folder):
    port = PORT[peer]
    if peer == "diskless":
        return [*rig.diskless().split(), "serve", "nfs", root, "--listen", f"127.0.0.1:{port}", "--writable", "--squash", "none",
                "--state", folder]
    if peer == "unfs3":
        with open(folder + "/exports", "w") as out:
            out.write(f"{root} 127.0.0.0/8(rw,no_root_squash,insecure)\n")
        return [program(peer), "-d", "-p", "-t", "-s", "-n", str(port), "-m", str(port), "-l", "127.0.0.1", "-e", folder + "/exports",
                "-i", folder + "/pid"]
    with open(folder + "/ganesha.conf", "w") as out:
        out.write(GANESHA.format(port=port, mount=port + 1, root=root, folder=folder))
    return [program(peer), "-F", "-L", folder + "/log", "-f", folder + "/ganesha.conf", "-p", folder + "/pid"]


def program(peer):
    """unfs3 is in no distribution: $UNFSD names a built one."""
    return (os.environ.get("UNFSD") or rig.find("unfsd")) if peer == "unfs3" else rig.find("ganesha.nfsd")


class WithPortmapper:
    """ganesha serves version 3 only with a portmapper to register with; /run is private here."""

    def __init__(self):
        os.makedirs("/run/rpcbind", exist_ok=True)
        os.makedirs("/run/ganesha", exist_ok=True)
        self.portmapper, self.server = rig.Server("rpcbind", [rig.find("rpcbind"), "-f", "-r"]), None

    def cpu(self):
        return self.server.cpu()

    def stop(self):
        for server in (self.server, self.portmapper):
            if server:
                server.stop()


def start(wanted):
    root = export()
    rig.compile_client("nfs_load")
    for peer in PORT:
        if peer != "diskless" and not (wanted(peer) and program(peer)):
            continue
        folder = os.path.join(rig.SCRATCH, "nfs-" + peer)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        if peer == "ganesha":
            if not rig.find("rpcbind"):
                continue
            both = WithPortmapper()
            yield peer, both
            server = both.server = rig.Server("nfs-" + peer, command(peer, root, folder))
        else:
            server = rig.Server("nfs-" + peer, command(peer, root, folder))
            yield peer, server
        server.wait_tcp("127.0.0.1", PORT[peer])


def once(case, name, seconds):
    version, below, work, file, block, depth, connections = CASES[case]
    if name == "unfs3" and (version == 4 or work == "walk" or block > 1 << 19):
        raise RuntimeError("has no version 4, no READDIRPLUS, and reads of less than 1 MiB")
    root = os.path.join(rig.SCRATCH, "data", "nfs") + below
    mount = PORT[name] + (name == "ganesha")
    got = rig.run_client([rig.compile_client("nfs_load"), "127.0.0.1", PORT[name], mount, root, work, file, block, depth, connections,
                          seconds, version])
    if work == "walk":
        return got["files_s"], "files/s", got["files"] / 1e6, "us/file"
    if block > 4096:
        return got["mb_s"], "MB/s", got["bytes"] / 1e9, "s/GB"
    return got["ops_s"], "op/s", got["ops"] / 1e6, "us/op"
