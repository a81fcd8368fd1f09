"""HTTP/1.1: a 60 MB kernel, random ranges of it, and a 704-byte boot script, over kept connections."""
import os, rig

# name: path, connections, range
CASES = {"kernel60-n1": ("/kernel60", 1, 0), "kernel60-n64": ("/kernel60", 64, 0), "range64k-n64": ("/kernel60", 64, 65536),
         "range1m-n64": ("/kernel60", 64, 1 << 20), "script-n1": ("/script704", 1, 0), "script-n64": ("/script704", 64, 0),
         "script-n512": ("/script704", 512, 0)}
PORT = {"diskless": 18081, "nginx": 18082, "lighttpd": 18083}


def start(wanted):
    root = os.path.dirname(rig.pattern_file("kernel60", 60_000_000))
    rig.pattern_file("script704", 704)
    rig.compile_client("http_load")
    servers = [("diskless", [*rig.diskless().split(), "serve", "http", root, "--listen", f"127.0.0.1:{PORT['diskless']}"])]
    if wanted("nginx") and rig.find("nginx"):
        conf = os.path.join(rig.SCRATCH, "nginx.conf")
        temp = " ".join(f"{kind}_temp_path {rig.SCRATCH};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(conf, "w") as out:
            out.write(f"daemon off; worker_processes 1; pid {rig.SCRATCH}/nginx.pid; worker_rlimit_nofile 8192; user root;\n"
                      f"events {{ worker_connections 4096; }}\nhttp {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;\n"
                      f"{temp} open_file_cache max=1000; server {{ listen 127.0.0.1:{PORT['nginx']}; root {root}; }} }}\n")
        servers.append(("nginx", [rig.find("nginx"), "-c", conf, "-e", "/dev/null", "-p", rig.SCRATCH]))
    # Unpacked beside, it needs its module folder too: $LIGHTTPD="PROGRAM -m FOLDER".
    lighttpd = os.environ.get("LIGHTTPD") or rig.find("lighttpd")
    if wanted("lighttpd") and lighttpd:
        conf = os.path.join(rig.SCRATCH, "lighttpd.conf")
        with open(conf, "w") as out:
            out.write(f'server.document-root = "{root}"\nserver.port = {PORT["lighttpd"]}\nserver.bind = "127.0.0.1"\n'
                      "server.max-keep-alive-requests = 100000000\nserver.max-connections = 2048\nserver.max-fds = 8192\n")
        servers.append(("lighttpd", [*lighttpd.split(), "-D", "-f", conf]))
    for name, argv in servers:
        server = rig.Server(name, argv)
        yield name, server
        server.wait_tcp("127.0.0.1", PORT[name])


def once(case, name, seconds):
    path, connections, size = CASES[case]
    got = rig.run_client([rig.compile_client("http_load"), "127.0.0.1", PORT[name], path, connections, size, seconds])
    if path == "/script704":
        return got["req_s"], "req/s", got["requests"] / 1e6, "us/req"
    return got["mb_s"], "MB/s", got["bytes"] / 1e9, "s/GB"
