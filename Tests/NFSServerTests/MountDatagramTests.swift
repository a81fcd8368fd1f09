import CLinux
import FileTree
import Logging
import NFS3
import NetworkIO
import NetworkTypes
import ONCRPC
import Testing
import XDR

@testable import NFSServer

@Suite("MOUNT over UDP", .enabled(if: Fixture.isPossible, "needs root"))
struct MountDatagramTests {
    private static let loopback = IPv4Address(value: 0x7f00_0001)

    /// Sends a call and gives the reply behind its number; nil when none comes within `seconds`.
    private func ask(_ endpoint: Endpoint, _ call: [UInt8], seconds: CInt = 10) throws -> [UInt8]? {
        let socket = try UDPSocket(bind: Endpoint(Self.loopback, 0))
        try socket.send(call.span, to: endpoint)
        var wait = pollfd(fd: socket.descriptor.number, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&wait, 1, seconds * 1000) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard let (count, _) = try socket.receive(into: &buffer) else { return nil }
        #expect(count <= 1400 && Array(buffer[..<4]) == Array(call[..<4]))
        return Array(buffer[4..<count])
    }

    @Test("A path gives the handle that TCP gives; other programs and bad calls are told so")
    func mount() throws {
        let fixture = try Fixture()
        let mount = try MountDatagrams(on: Self.loopback, beside: fixture.server, logger: fixture.server.logger)
        try mount.start()
        defer { mount.stop() }
        #expect(mount.endpoint.port == fixture.server.endpoint.port)
        // A record without its mark is what a datagram holds.
        func call(_ program: UInt32, _ version: UInt32, _ procedure: UInt32, _ path: String? = nil) -> [UInt8] {
            Array(
                fixture.client.call(program, version, procedure) { if let path { $0.writeOpaque(Array(path.utf8)) } }
                    .dropFirst(4)
            )
        }
        let accepted: [UInt8] = [0, 0, 0, 1] + Array(repeating: 0, count: 12)
        let reply = try #require(
            try ask(mount.endpoint, call(Mount3.program, Mount3.version, 1, fixture.directory))
        )
        #expect(reply.starts(with: accepted + [0, 0, 0, 0]))
        let body = Array(reply.dropFirst(20))
        var reader = unsafe XDRReader(body.span.bytes)
        #expect(try reader.readUInt32() == 0)
        #expect(try NFS3FileHandle(decoding: &reader) == fixture.root)

        let refused = try #require(try ask(mount.endpoint, call(Mount3.program, Mount3.version, 1, "/elsewhere")))
        #expect(Array(refused.suffix(4)) == [0, 0, 0, 2], "NOENT")
        let listed = try #require(try ask(mount.endpoint, call(Mount3.program, Mount3.version, 5)))
        #expect(listed.count > 30)
        let program = try #require(try ask(mount.endpoint, call(NFS3.program, NFS3.version, 0)))
        #expect(Array(program.suffix(4)) == [0, 0, 0, 1], "PROG_UNAVAIL: files are served over TCP")
        let version = try #require(try ask(mount.endpoint, call(Mount3.program, 1, 0)))
        #expect(Array(version.suffix(12)) == [0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3], "PROG_MISMATCH, 3 to 3")
        let short = try #require(try ask(mount.endpoint, call(Mount3.program, Mount3.version, 1)))
        #expect(Array(short.suffix(4)) == [0, 0, 0, 4], "GARBAGE_ARGS")

        // What is no call, and what is too long, gets no answer; the next call does.
        let noise = try UDPSocket(bind: Endpoint(Self.loopback, 0))
        try noise.send([UInt8](repeating: 0xff, count: 64).span, to: mount.endpoint)
        try noise.send([UInt8](repeating: 0, count: 60_000).span, to: mount.endpoint)
        try noise.send([UInt8]().span, to: mount.endpoint)
        #expect(try ask(mount.endpoint, call(Mount3.program, Mount3.version, 0)) != nil)
        var wait = pollfd(fd: noise.descriptor.number, events: Int16(POLLIN), revents: 0)
        #expect(unsafe poll(&wait, 1, 0) == 0)
    }
}
