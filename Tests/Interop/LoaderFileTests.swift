import CLinux
import Foundation
import NetworkIO
import NetworkTypes
import Testing

/// Loader files of the user's that cannot be sent: one line in the log, on the timeline and in `explain`, and nothing that
/// the user did not put there in their stead.
@Suite(
    .enabled(if: TestNetwork.isPossible && NBDClientProgram.isThere("curl"), "needs root, ip and curl"),
    .boundedWait
) struct LoaderFileTests {
    /// What is done in the folder of loaders, and what is said of the file.
    static let bad: [(command: String, words: String)] = [
        (": > undionly.kpxe", "loaders/undionly.kpxe is empty: put the right file there, or remove it"),
        ("cp /usr/lib/ipxe/snponly.efi undionly.kpxe", "is a UEFI program for x86-64, not a loader for BIOS: put"),
        ("mkdir undionly.kpxe", "loaders/undionly.kpxe is no file: put"),
        ("ln -s /nowhere undionly.kpxe", "cannot be read (No such file or directory): put"),
        ("mkfifo undionly.kpxe", "loaders/undionly.kpxe is no file: put"),
        ("truncate -s 1M undionly.kpxe", "has 1048576 bytes, more than the 654336 that BIOS can load: put"),
    ]

    @Test(arguments: bad)
    func isSaidEverywhereAndMendedWithoutARestart(command: String, words: String) throws {
        let server = try ServerProcess()
        try server.publish("debian")
        let folder = server.state + "/loaders"
        let made = try server.run(["sh", "-ec", "mkdir -p \(folder); cd \(folder); \(command)"])
        #expect(made.status == 0, "\(made.errors)")
        try server.start()
        #expect(server.log.contains(words), "at the start: \(server.log)")
        let listed = try server.diskless("loader", "list")
        #expect(listed.errors.contains("Warning: \(folder)/undionly.kpxe"))
        #expect(!listed.output.contains("undionly.kpxe"))

        let explained = try server.diskless("explain", "52:54:00:77:00:01")
        #expect(explained.status == 1)
        #expect(explained.output.contains("x86 BIOS firmware asks\n  gets nothing: \(folder)/undionly.kpxe"))
        #expect(explained.output.contains(words), "\(explained.output)")
        #expect(explained.output.contains("a card's own iPXE asks\n  gets http://"), "\(explained.output)")

        try discover(server, until: "nothing to boot for") { server.log }
        let refused = server.log.split(separator: "\n").filter { $0.contains("nothing to boot for") }
        #expect(refused.allSatisfy { $0.contains(words) }, "\(refused)")
        try server.wait("not on the timeline") {
            try server.diskless("boots", "--json").output.contains("refused: ")
        }
        let boots = try server.diskless("boots", "--json").output.replacing("\\/", with: "/")
        #expect(boots.contains(words), "\(boots)")

        // Who asks for it all the same gets an error, and the log says why.
        let fetched = try server.client("curl", "-sS", "tftp://10.77.0.1/undionly.kpxe")
        #expect(fetched.status != 0 && fetched.output.isEmpty, "\(fetched)")
        #expect(try server.client("curl", "-sSf", "http://10.77.0.1:8067/loaders/undionly.kpxe").status == 22)

        #expect(try server.run(["rm", "-r", folder + "/undionly.kpxe"]).status == 0)
        try server.wait("a removed file is still there: \(server.log)") {
            try server.diskless("explain", "52:54:00:77:00:01").output.contains("gets undionly.kpxe")
        }
    }

    @Test func anUnknownNameIsSaid() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        let folder = server.state + "/loaders"
        let made = try server.run([
            "sh", "-ec", "mkdir -p \(folder)/grub; cd \(folder); echo x > undionly.kpx; echo x > own",
        ])
        #expect(made.status == 0)
        try server.start()
        #expect(
            server.log.contains(
                "\(folder)/undionly.kpx is not the name of a loader: no machine is given it; did you mean"
            )
        )
        #expect(
            server.log.contains("\(folder)/own is not the name of a loader: no machine is given it; 'diskless loader")
        )
        #expect(!server.log.contains("loaders/grub "))
        for url in ["tftp://10.77.0.1/own", "tftp://10.77.0.1/../own", "tftp://10.77.0.1/loaders/own"] {
            #expect(try server.client("curl", "-sS", url).status == 68, "\(url)")
        }
        let file = server.files.path("fleet.yaml")
        try MadeUpImage.write("nodes:\n  - {name: megane, mac: \"52:54:00:77:00:01\", loader: gurb}\n", file)
        let applied = try server.diskless("apply", file)
        #expect(applied.status == 1)
        #expect(applied.errors.contains("did you mean \"grub\"?"), "\(applied.errors)")
    }

    /// The image of UEFI HTTP Boot is made while it is sent: its tag tells of the same bytes in every process, and only of them.
    @Test(.enabled(if: unsafe access("/usr/lib/shim/shimx64.efi.signed", R_OK) == 0, "needs shim-signed"))
    func theTagOfABootImageIsThatOfItsBytes() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        let file = server.files.path("fleet.yaml")
        try MadeUpImage.write(
            "nodes:\n  - {name: megane, mac: \"\(TestNetwork.clientMAC)\", image: debian, loader: shim}\n",
            file
        )
        #expect(try server.diskless("apply", file).status == 0)
        let url = "http://10.77.0.1:8067/boot/52-54-00-77-00-01/boot.img"
        func tag() throws -> String {
            let head = try server.client("curl", "-sSfI", url)
            #expect(head.status == 0, "\(head.errors)")
            let line = head.output.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix("etag: ") }
            return String(try #require(line).dropFirst(6))
        }
        func digest() throws -> String {
            try server.run(["sh", "-c", "curl -sSf \(url) | sha256sum"], in: server.network.client).output
        }
        let first = try (tag(), digest())
        #expect(try tag() == first.0 && digest() == first.1)
        server.kill()
        try server.start()
        // Another process may make other overlay files: then the tag is another one too, and only then.
        let second = try (tag(), digest())
        #expect((second.0 == first.0) == (second.1 == first.1))
        let again = try server.client(
            "curl",
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-H",
            "If-None-Match: \(second.0)",
            url
        )
        #expect(again.output == "304")
        try server.publish("debian")
        #expect(try tag() != second.0, "another version")
        #expect(try digest() != second.1)
    }

    /// Asks by DHCP until a text is there.
    private func discover(_ server: ServerProcess, until words: String, in text: () -> String) throws {
        let socket = try TestNetwork.socket(in: server.network.client) {
            try UDPSocket(bind: Endpoint(.any, 68), interface: TestNetwork.interface, broadcast: true)
        }
        let mac: [UInt8] = [0x52, 0x54, 0, 0x77, 0, 1]
        try server.wait("no refusal: \(text())") {
            try socket.send(DiscoverPacket.bytes(from: mac).span, to: Endpoint(.broadcast, 67))
            usleep(100_000)
            return text().contains(words)
        }
    }
}
