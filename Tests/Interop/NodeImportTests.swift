import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// Machines taken over from other programs' files, and machines that are woken.
@Suite(.boundedWait, .enabled(if: TestNetwork.isPossible, "needs root and ip"))
struct NodeImportTests {
    private func put(_ text: String, _ server: ServerProcess) throws -> String {
        let path = server.files.path("hosts")
        let descriptor = unsafe clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        try #require(unsafe CLinux.write(descriptor, bytes, bytes.count) == bytes.count)
        return path
    }

    @Test func allOfAFileOrNothing() throws {
        let server = try ServerProcess()
        try server.start()
        let ethers = try put("52:54:00:77:00:01 seat-1\n52:54:00:77:00:02 seat-2\n", server)
        let added = try server.diskless("node", "add", "--from", ethers)
        #expect(
            added.output == "added node seat-1: 52:54:00:77:00:01\nadded node seat-2: 52:54:00:77:00:02\n",
            "\(added)"
        )
        let again = try server.diskless("node", "add", "--from", ethers)
        #expect(again.status == 1)
        #expect(again.errors.contains("hosts:2: node seat-2 exists already"), "\(again.errors)")

        let text = """
            host seat-3 { hardware ethernet 52:54:00:77:00:03; fixed-address 10.77.0.73; }
            host seat-4 { hardware ethernet 52:54:00:77:00; }
            """
        let broken = try server.diskless("node", "add", "--from", try put(text, server), "--format", "dhcpd")
        #expect(broken.status == 1)
        #expect(broken.errors.contains("hosts:2: '52:54:00:77:00' is not a hardware address"), "\(broken.errors)")
        let mended = text.replacing("77:00; }", with: "77:00:04; }")
        #expect(try server.diskless("node", "add", "--from", try put(mended, server)).status == 0)
        let dnsmasq = try put("dhcp-host=52:54:00:77:00:05,seat-5,10.77.0.75\n", server)
        #expect(try server.diskless("node", "add", "--from", dnsmasq).status == 0)
        let nodes = try server.diskless("node", "list").output.split(separator: "\n")
        #expect(nodes.count == 5)
        #expect(nodes.contains { $0.hasPrefix("seat-5\t52:54:00:77:00:05\t10.77.0.75\t") })
    }

    @Test func wakesANodeOnItsNetwork() throws {
        let server = try ServerProcess()
        try server.start()
        #expect(try server.diskless("node", "add", "seat-1", "--mac", "52:54:00:77:00:01").status == 0)
        let socket = try TestNetwork.socket(in: server.network.client) {
            try UDPSocket(bind: Endpoint(.any, 9), interface: TestNetwork.interface)
        }
        let woken = try server.diskless("node", "wake", "seat-1", "--password", "01:02:03:04:05:06")
        #expect(woken.output == "woke node seat-1: 52:54:00:77:00:01 on 10.77.0.0/24 (wire0)\n", "\(woken)")
        var buffer = [UInt8](repeating: 0, count: 512)
        var packet: [UInt8] = []
        try server.wait("no packet comes") {
            guard let received = try socket.receiveWithoutWaiting(into: &buffer) else { return false }
            packet = Array(buffer[..<received.count])
            return true
        }
        let mac: [UInt8] = [0x52, 0x54, 0, 0x77, 0, 1]
        #expect(packet == [UInt8](repeating: 0xFF, count: 6) + (0..<16).flatMap { _ in mac } + [1, 2, 3, 4, 5, 6])
        let unknown = try server.diskless("node", "wake", "seat-1", "seat-9")
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("there is no node seat-9"))
    }
}
