import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// What `diskless generate` prints, in the hands of the real servers: their own check of it, and what a machine is offered.
@Suite(.boundedWait, .enabled(if: TestNetwork.isPossible, "needs root and ip"))
struct ForeignDHCPTests {
    private static let fleet = """
        networks:
          - name: lab
            interface: wire0
            subnet: 10.77.0.0/24
            dhcp: off
            pools: [10.77.0.100-10.77.0.150]
            router: 10.77.0.1
            nameservers: [10.77.0.1]
            domain: lab.example
        nodes:
          - name: seat-1
            mac: 52:54:00:77:00:01
            address: 10.77.0.71
        """

    /// One foreign server: how it checks a file, and how it runs in the foreground.
    struct Program: Sendable, CustomTestStringConvertible {
        var name: String
        var binary: String
        var check: [String]
        var run: [String]
        var testDescription: String { name }
    }

    static let programs = [
        Program(
            name: "dhcpd",
            binary: "dhcpd",
            check: ["-4", "-t", "-cf", "FILE", "-lf", "LEASES"],
            run: [
                "-4", "-f", "-d", "--no-pid", "-user", "root", "-group", "root", "-cf", "FILE", "-lf", "LEASES",
                "wire0",
            ]
        ),
        Program(name: "kea", binary: "kea-dhcp4", check: ["-t", "FILE"], run: ["-c", "FILE"]),
        Program(
            name: "dnsmasq",
            binary: "dnsmasq",
            check: ["--test", "-C", "FILE"],
            run: ["-k", "-C", "FILE", "--port=0", "--dhcp-leasefile=LEASES", "--pid-file=", "--user=root"]
        ),
    ]

    @Test(arguments: programs) func offersWhatThisServerWouldOffer(program: Program) throws {
        let binary = try #require(NBDClientProgram.place(of: program.binary), "\(program.binary) is missing")
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start([])
        let file = server.files.path("fleet.yaml")
        try Self.write(Self.fleet, to: file)
        #expect(try server.diskless("apply", file).status == 0)
        let made = try server.diskless("generate", program.name)
        #expect(made.status == 0, "\(made.errors)")
        let configuration = server.files.path("made.conf")
        let leases = server.files.path("foreign-leases")
        // Kea keeps leases where only its package may write.
        try Self.write(made.output.replacing("\"persist\": true", with: "\"persist\": false"), to: configuration)
        try Self.write("", to: leases)
        func words(_ words: [String]) -> [String] {
            [binary] + words.map { $0 == "FILE" ? configuration : $0.replacing("LEASES", with: leases) }
        }
        // Its own folders: these programs keep state and locks in fixed places.
        server.preparation =
            "export KEA_LOCKFILE_DIR=\(server.files.directory) KEA_PIDFILE_DIR=\(server.files.directory)"
        let checked = try server.run(words(program.check))
        #expect(checked.status == 0, "\(checked.output) \(checked.errors)\n\(made.output)")

        let environment = [
            "env", "KEA_LOCKFILE_DIR=\(server.files.directory)", "KEA_PIDFILE_DIR=\(server.files.directory)",
        ]
        let log = server.files.path("foreign-log")
        let process = try NBDClientProgram.start(
            ["ip", "netns", "exec", server.network.server] + environment + words(program.run),
            log: log
        )
        defer {
            kill(process, SIGKILL)
            var status: CInt = 0
            unsafe waitpid(process, &status, 0)
        }
        let socket = try TestNetwork.socket(in: server.network.client) {
            try UDPSocket(bind: Endpoint(.any, 68), interface: TestNetwork.interface, broadcast: true)
        }
        let cases: [(architecture: UInt8, vendor: String, user: String?, file: String)] = [
            (0, "PXEClient:Arch:00000:UNDI:002001", nil, "undionly.kpxe"),
            (7, "PXEClient:Arch:00007:UNDI:003016", nil, "snponly.efi"),
            (11, "PXEClient:Arch:00011:UNDI:003016", nil, "snponly-arm64.efi"),
            (16, "HTTPClient:Arch:00016:UNDI:003016", nil, "http://10.77.0.1:8067/loaders/snponly.efi"),
            (
                7, "PXEClient:Arch:00007:UNDI:003010", "iPXE",
                "http://10.77.0.1:8067/boot/${net0/mac:hexhyp}/script.ipxe"
            ),
        ]
        for (number, asked) in cases.enumerated() {
            let mac: [UInt8] = [0x52, 0x54, 0, 0x77, 0, UInt8(number + 1)]
            let packet = Self.discover(mac, asked.architecture, asked.vendor, asked.user)
            var offer: Offer?
            // The server needs a moment to start, and pings an address before it offers it.
            for _ in 0..<50 where offer == nil {
                try socket.send(packet.span, to: Endpoint(.broadcast, 67))
                offer = Self.receive(socket, for: mac)
            }
            try #require(offer != nil, "no offer for \(asked): \(NBDClientProgram.text(log))")
            #expect(offer?.file == asked.file, "\(asked)")
            if !asked.file.hasPrefix("http") { #expect(offer?.nextServer == "10.77.0.1", "\(asked)") }
            if asked.architecture == 16 { #expect(offer?.vendorClass == "HTTPClient", "UEFI takes no other offer") }
            if number == 0 { #expect(offer?.address == "10.77.0.71") }
        }
    }

    private struct Offer {
        var address = ""
        var nextServer = ""
        var file = ""
        var vendorClass = ""
    }

    private static func discover(_ mac: [UInt8], _ architecture: UInt8, _ vendor: String, _ user: String?) -> [UInt8] {
        var fixed: [UInt8] = [1, 1, 6, 0, 0x12, 0x34, 0x56, mac[5], 0, 4, 0x80, 0]
        fixed += [UInt8](repeating: 0, count: 16) + mac + [UInt8](repeating: 0, count: 202)
        var options: [UInt8] = [99, 130, 83, 99, 53, 1, 1, 93, 2, 0, architecture, 60, UInt8(vendor.utf8.count)]
        options += Array(vendor.utf8)
        if let user { options += [77, UInt8(user.utf8.count)] + Array(user.utf8) }
        return fixed + options + [55, 7, 1, 3, 6, 60, 66, 67, 15, 255]
    }

    /// Waits a fifth of a second for an offer to this machine.
    private static func receive(_ socket: UDPSocket, for mac: [UInt8]) -> Offer? {
        var buffer = [UInt8](repeating: 0, count: 2048)
        for _ in 0..<5 {
            var wait = pollfd(fd: socket.descriptor.number, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&wait, 1, 200) > 0, let received = try? socket.receiveWithoutWaiting(into: &buffer) else {
                return nil
            }
            let bytes = Array(buffer[..<received.count])
            guard bytes.count > 240, bytes[0] == 2, Array(bytes[28..<34]) == mac else { continue }
            return offer(bytes)
        }
        return nil
    }

    private static func offer(_ bytes: [UInt8]) -> Offer {
        func address(_ range: Range<Int>) -> String { bytes[range].map(String.init).joined(separator: ".") }
        func text(_ bytes: some Sequence<UInt8>) -> String {
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        var offer = Offer(address: address(16..<20), nextServer: address(20..<24), file: text(bytes[108..<236]))
        var at = 240
        while at + 1 < bytes.count, bytes[at] != 255 {
            guard bytes[at] != 0 else { at += 1; continue }
            let end = min(bytes.count, at + 2 + Int(bytes[at + 1]))
            if bytes[at] == 67 { offer.file = text(bytes[at + 2..<end]) }
            if bytes[at] == 60 { offer.vendorClass = text(bytes[at + 2..<end]) }
            at = end
        }
        return offer
    }

    private static func write(_ text: String, to path: String) throws {
        let descriptor = unsafe clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        try #require(unsafe CLinux.write(descriptor, bytes, bytes.count) == bytes.count)
    }
}
