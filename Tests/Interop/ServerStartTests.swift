import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// How `diskless serve` begins and ends, seen from outside.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct ServerStartTests {
    @Test(arguments: [("UDP", 69), ("TCP", 8067), ("TCP", 10809), ("UDP", 67), ("UDP", 4011)])
    func takenPort(transport: String, port: UInt16) throws {
        let server = try ServerProcess()
        let holder = try TestNetwork.socket(in: server.network.server) { () throws -> any Sendable in
            transport == "UDP"
                ? try UDPSocket(bind: Endpoint(.any, port)) : try StreamListener(tcp: Endpoint(.any, port))
        }
        let result = try server.serve()
        #expect(result.status == 1)
        #expect(result.errorLines.count == 1, "\(result.errors)")
        #expect(result.errors.contains("\(transport) 0.0.0.0:\(port) is taken by another program"))
        withExtendedLifetime(holder) {}
        #expect(try server.run(["ss", "-Hlntu"]).output.split(separator: "\n").count == 1, "only the holder listens")
    }

    @Test func secondServerOnOneState() throws {
        let server = try ServerProcess()
        try server.start()
        let second = try server.serve()
        #expect(second.status == 1)
        #expect(second.errorLines.count == 1)
        #expect(second.errors.contains("another diskless server (process \(server.process)) uses \(server.state)"))
        #expect(try server.diskless("status").status == 0, "the first goes on")
    }

    @Test func unknownInterface() throws {
        let server = try ServerProcess()
        let result = try server.serve(["--interface", "nope0"])
        #expect(result.status == 1)
        #expect(result.errors == "Error: interface nope0 does not exist; with an address there is wire0\n")
    }

    @Test(arguments: [
        ("stat: /tmp\n", "1:1: unknown key \"stat\""), ("state: /tmp/x\ndhcp: fulll\n", "2:7: dhcp \"fulll\""),
        ("ports:\n  htp: 8067\n", "2:3: unknown key \"htp\""), ("ports:\n  http: 80670\n", "2:9: "),
        ("state: [\n", ":"),
    ])
    func wrongConfiguration(text: String, problem: String) throws {
        let server = try ServerProcess()
        let file = server.files.path("diskless.yaml")
        try MadeUpImage.write(text, file)
        let result = try server.serve(ServerProcess.usual + ["--config", file])
        #expect(result.status == 1)
        #expect(result.errorLines.count == 1, "\(result.errors)")
        #expect(result.errors.hasPrefix("Error: \(file):"))
        #expect(result.errors.contains(problem), "\(result.errors)")
        let missing = try server.serve(["--config", file + "-none"])
        #expect(missing.status == 1)
        #expect(missing.errors.contains("\(file)-none"))
    }

    /// The roots of running nodes must come back although a card is missing.
    @Test func aMissingCardKeepsNobodyElseFromBeingServed() throws {
        let server = try ServerProcess()
        let file = server.files.path("fleet.yaml")
        let gone = "  - {name: gone, interface: gone0, subnet: 10.78.0.0/24}\n"
        let here = "  - {name: here, interface: \(TestNetwork.interface), subnet: 10.77.0.0/24}\n"
        try MadeUpImage.write("networks:\n" + gone, file)
        try server.start([])
        #expect(try server.diskless("apply", file).status == 0)
        try MadeUpImage.write("networks:\n" + gone + here, file)
        #expect(try server.diskless("apply", file).status == 0)
        let listening = "DHCP on UDP 67 and 4011 on \(TestNetwork.interface)"
        try server.wait("no DHCP: \(server.log)") { try server.diskless("status").output.contains(listening) }
        #expect(server.log.contains("interface gone0 does not exist or has no IPv4 address"))
        server.kill()
        try server.start([])
        #expect(try server.diskless("status").output.contains(listening))
    }

    @Test(arguments: ["on", "off"])
    func routerAdvertisementsCanBeTurnedOff(state: String) throws {
        let server = try ServerProcess()
        let file = server.files.path("diskless.yaml")
        try MadeUpImage.write("router-advertisements: \(state)\n", file)
        try server.start(ServerProcess.usual + ["--config", file])
        let sockets = try server.run(["cat", "/proc/net/raw6"]).output.split(separator: "\n").count - 1
        #expect(sockets == (state == "on" ? 1 : 0))
    }

    @Test func saysWhenNoLoaderIsInstalled() throws {
        let server = try ServerProcess()
        server.preparation = """
            for d in /boot /usr/lib/ipxe /usr/share/ipxe /usr/lib/grub /usr/lib/shim /usr/lib/PXELINUX /usr/lib/syslinux; do
                [ ! -d $d ] || mount -t tmpfs none $d
            done
            """
        try server.publish("debian")
        try server.start()
        #expect(server.log.contains("no loader is installed: machines whose card is not iPXE cannot boot"))
        let explained = try server.diskless("explain", "52:54:00:77:00:01")
        #expect(explained.status == 1)
        #expect(explained.output.contains("undionly.kpxe"), "\(explained.output)")
        #expect(explained.output.contains("install"), "\(explained.output)")
        #expect(explained.output.contains("a card's own iPXE asks\n  gets http://"), "\(explained.output)")
    }

    @Test func endsAtOnceAndFreesEverything() throws {
        let server = try ServerProcess()
        try server.start()
        let silent = try TestNetwork.socket(in: server.network.client) {
            try [8067, 10809].map { try StreamSocket(connectingTo: Endpoint(ServerProcess.address, $0)) }
        }
        let end = try server.terminate()
        #expect(end.status == 0)
        #expect(end.seconds < 2)
        #expect(unsafe access(server.state + "/admin.sock", F_OK) != 0)
        #expect(try server.run(["ss", "-Hlntu"]).output.isEmpty)
        withExtendedLifetime(silent) {}
        try server.start()
        #expect(try server.diskless("status").status == 0)
    }

    /// As systemd waits for it with `Type=notify`: who is told to go on finds a server that answers.
    @Test func tellsTheServiceManager() throws {
        let server = try ServerProcess()
        let path = server.files.path("notify")
        let manager = try StatusSocket(path)
        server.preparation = "export NOTIFY_SOCKET=\(path)"
        try server.start(awaiting: nil)
        #expect(manager.next() == "READY=1")
        server.preparation = ":"
        #expect(try server.diskless("status").status == 0)
        #expect(try server.terminate().status == 0)
        #expect(manager.next() == "STOPPING=1")
    }

    /// The root of a container is one.
    @Test func saysWhenItsStateCannotHoldLayers() throws {
        let server = try ServerProcess()
        let advice = "no roots over NFS with writes: cow, keep or shared"
        try server.start()
        #expect(!server.log.contains(advice), "\(server.log)")
        #expect(try server.terminate().status == 0)
        server.preparation = """
            mount -t tmpfs none /mnt; mkdir /mnt/lower /mnt/upper /mnt/work
            mount -t overlay none -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work \(server.state)
            """
        try server.start()
        let line = server.log.split(separator: "\n").first { $0.contains(advice) }
        #expect(line?.contains("have the state directory on ext4, xfs or btrfs") == true, "\(server.log)")
    }

    @Test func servesAtOnceAfterACrash() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        let root = "nbd://\(ServerProcess.address)/debian@1"
        for _ in 0..<3 {
            // A connection that the crash leaves behind must not hold the port.
            let silent = try TestNetwork.socket(in: server.network.client) {
                try [8067, 10809].map { try StreamSocket(connectingTo: Endpoint(ServerProcess.address, $0)) }
            }
            server.kill()
            try server.start()
            withExtendedLifetime(silent) {}
            // From the server itself: another computer gets an image only while it boots it.
            #expect(try server.run(["nbdinfo", "--size", root]).output == "1048576\n")
            #expect(try server.client("curl", "-sS", "http://\(ServerProcess.address):8067/").status == 0)
            #expect(try server.diskless("status").status == 0)
        }
    }
}

/// The socket on which a service manager hears from its services.
private final class StatusSocket {
    private let descriptor: FileDescriptor

    init(_ path: String) throws {
        descriptor = try FileDescriptor("open a Unix socket", socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let bound = unsafe withUnsafeBytes(of: &address) { [descriptor] in
            unsafe clinux_bind(descriptor.number, $0.baseAddress, socklen_t($0.count))
        }
        try check("bind \(path)", bound)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        _ = unsafe setsockopt(
            descriptor.number,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &limit,
            socklen_t(MemoryLayout<timeval>.size)
        )
    }

    /// The next message; empty when none comes within twenty seconds.
    func next() -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe recv(descriptor.number, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }
}

/// What `diskless serve nbd`, `serve tftp` and `serve http` say when they cannot begin.
@Suite(.boundedWait) struct OneProtocolTests {
    private let files: TemporaryFiles

    init() throws { files = try TemporaryFiles() }

    private func serve(_ words: String...) throws -> NBDClientProgram.Outcome {
        try NBDClientProgram.run([BuiltProgram.path, "serve"] + words, in: files)
    }

    @Test(arguments: ["nbd", "tftp", "http"])
    func missingFile(kind: String) throws {
        let outcome = try serve(kind, files.path("none"), "--listen", "127.0.0.1:0")
        #expect(outcome.status == 1)
        #expect(outcome.output.contains(files.path("none")))
        #expect(outcome.output.split(separator: "\n").count == 1, "\(outcome.output)")
    }

    @Test(arguments: ["nbd", "tftp", "http"], ["127.0.0.1", "127.0.0.1:99999", "300.1.1.1:80", "x"])
    func badListen(kind: String, listen: String) throws {
        let outcome = try serve(kind, files.directory, "--listen", listen)
        #expect(outcome.status == 2)
        #expect(outcome.output.contains("'\(listen)' is not ADDRESS:PORT"))
    }

    @Test(arguments: ["nbd", "http"])
    func takenTCPPort(kind: String) throws {
        let holder = try StreamListener(tcp: Endpoint(.loopback, 0))
        let port = try #require(holder.tcpPort)
        let file = kind == "nbd" ? try files.image("disk", size: 4096, offset: 0, count: 4096) : files.directory
        let outcome = try serve(kind, file, "--listen", "127.0.0.1:\(port)")
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("TCP 127.0.0.1:\(port) is taken by another program"))
        #expect(outcome.output.split(separator: "\n").count == 1, "\(outcome.output)")
    }

    @Test func takenUDPPort() throws {
        let holder = try UDPSocket(bind: Endpoint(.loopback, 0))
        let outcome = try serve("tftp", files.directory, "--listen", "127.0.0.1:\(holder.endpoint.port)")
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("UDP 127.0.0.1:\(holder.endpoint.port) is taken by another program"))
        #expect(outcome.output.split(separator: "\n").count == 1, "\(outcome.output)")
    }
}

extension StreamListener {
    /// The port of a TCP listener.
    fileprivate var tcpPort: UInt16? { if case .tcp(let endpoint) = place { endpoint.port } else { nil } }
}
