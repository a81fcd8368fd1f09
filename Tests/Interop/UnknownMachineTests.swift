import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// Machines that nobody has named: seen on the wire, shown, kept over a crash, adopted.
@Suite(.boundedWait, .enabled(if: TestNetwork.isPossible, "needs root and ip"))
struct UnknownMachineTests {
    @Test func areShownKeptAndAdopted() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        let socket = try TestNetwork.socket(in: server.network.client) {
            try UDPSocket(bind: Endpoint(.any, 68), interface: TestNetwork.interface, broadcast: true)
        }
        let macs: [[UInt8]] = [[0x52, 0x54, 0, 0x77, 0, 1], [0x52, 0x54, 0, 0x77, 0, 2]]
        try server.wait("the machines are not seen: \(server.log)") {
            for mac in macs {
                try socket.send(DiscoverPacket.bytes(from: mac).span, to: Endpoint(.broadcast, 67))
            }
            return try server.diskless("node", "list", "--unknown").output.split(separator: "\n").count == 2
        }
        let list = try server.diskless("node", "list", "--unknown").output
        #expect(list.contains("52:54:00:77:00:01\tx86 BIOS\tPXEClient:Arch:00000:UNDI:002001\t"))
        // Looking at a machine does not make it one that was seen.
        _ = try server.diskless("explain", "52:54:00:77:00:09", "--arch", "x64-efi")
        #expect(!(try server.diskless("node", "list", "--unknown").output.contains("00:09")))

        let adopted = try server.diskless("node", "adopt", "52:54:00:77:00:01", "seat-1")
        #expect(adopted.output == "added node seat-1: x86 BIOS\n", "\(adopted)")
        #expect(try server.diskless("node", "list").output.hasPrefix("seat-1\t52:54:00:77:00:01\t"))
        let twice = try server.diskless("node", "adopt", "52:54:00:77:00:01", "seat-2")
        #expect(twice.status == 1)
        #expect(twice.errors.contains("no machine without a name has asked from 52:54:00:77:00:01"))

        // Written within seconds: what a crash leaves is shown again.
        // The vendor class stands in no other table.
        try server.wait("nothing is written") {
            NBDClientProgram.bytes("\(server.state)/registry.sqlite-wal").contains(Array("UNDI:002001".utf8))
        }
        server.kill()
        try server.start()
        let rest = try server.diskless("node", "list", "--unknown").output
        #expect(rest.split(separator: "\n").count == 1)
        #expect(rest.hasPrefix("52:54:00:77:00:02\t"))
        let unnamed = try server.diskless("node", "adopt", "52:54:00:77:00:02")
        #expect(unnamed.output.hasPrefix("added node "), "\(unnamed)")
        #expect(try server.diskless("node", "list", "--unknown").output.isEmpty)
    }
}
