import CLinux
import NFS3
import NFS4
import NetworkTypes
import ONCRPC
import XDR

/// A small NFS client of the tests: one call after another, or several at once.
final class TestClient {
    struct Failure: Error { var what: String }

    private let descriptor: CInt
    private var xid: UInt32 = 100
    var credential: RPCSystemCredential? = RPCSystemCredential(machine: Array("test".utf8), user: 0, group: 0)

    /// Connects, from an address of its own if one is given.
    init(_ endpoint: Endpoint, from own: IPv4Address? = nil) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = endpoint.port.bigEndian
        address.sin_addr.s_addr = endpoint.address.value.bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        if let own {
            var local = sockaddr_in()
            local.sin_family = sa_family_t(AF_INET)
            local.sin_addr.s_addr = own.value.bigEndian
            guard unsafe clinux_bind(descriptor, &local, length) == 0 else { throw Failure(what: "bind to \(own)") }
        }
        guard unsafe clinux_connect(descriptor, &address, length) == 0 else { throw Failure(what: "connect") }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    deinit { close(descriptor) }

    /// A call as it goes over the wire, in one fragment.
    func call(
        _ program: UInt32,
        _ version: UInt32,
        _ procedure: UInt32,
        flavor: UInt32? = nil,
        _ arguments: (inout XDRWriter) -> Void = { _ in }
    ) -> [UInt8] {
        xid += 1
        var memory = [UInt8](repeating: 0, count: 1 << 21)
        let (xid, credential) = (xid, credential)
        let count = unsafe memory.withUnsafeMutableBytes { buffer in
            var writer = unsafe XDRWriter(unsafely: buffer)
            writer.write(0 as UInt32)
            for word in [xid, 0, 2, program, version, procedure] { writer.write(word) }
            writer.write(flavor ?? (credential == nil ? 0 : 1))
            let length = writer.count
            writer.write(0 as UInt32)
            credential?.encode(into: &writer)
            writer.replace(at: length, with: UInt32(writer.count - length - 4))
            writer.write(0 as UInt32)
            writer.write(0 as UInt32)
            arguments(&writer)
            writer.replace(at: 0, with: RecordMarking.mark(length: writer.count - 4))
            return writer.count
        }
        return Array(memory[..<count])
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe CLinux.send(
                    descriptor,
                    $0.baseAddress.map { unsafe $0 + sent },
                    bytes.count - sent,
                    CInt(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { throw Failure(what: "send") }
            sent += count
        }
    }

    private func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var have = 0
        while have < count {
            let got = unsafe bytes.withUnsafeMutableBytes {
                unsafe recv(descriptor, $0.baseAddress.map { unsafe $0 + have }, count - have, 0)
            }
            guard got > 0 else { throw Failure(what: got == 0 ? "the server closed" : "no reply") }
            have += got
        }
        return bytes
    }

    /// One reply without its mark.
    func reply() throws -> [UInt8] {
        let mark = try receive(4).reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        guard mark >> 31 == 1 else { throw Failure(what: "a fragment") }
        return try receive(Int(mark & 0x7fff_ffff))
    }

    /// A call's results, behind the head of an accepted reply.
    func results(
        _ program: UInt32,
        _ version: UInt32,
        _ procedure: UInt32,
        _ arguments: (inout XDRWriter) -> Void = { _ in }
    ) throws -> [UInt8] {
        try send(call(program, version, procedure, arguments))
        let bytes = try reply()
        guard Array(bytes[4..<24]) == [0, 0, 0, 1] + [UInt8](repeating: 0, count: 16) else {
            throw Failure(what: "refused: \(bytes)")
        }
        return Array(bytes[24...])
    }

    /// Whether the server answers NULL of version 4, which it does for anybody.
    func isServed() -> Bool { (try? results(NFS4.program, NFS4.version, 0)) != nil }

    /// The status and what follows it.
    func nfs(
        _ procedure: NFS3Procedure,
        _ arguments: (inout XDRWriter) -> Void
    ) throws -> (status: NFS3Status, rest: [UInt8]) {
        let bytes = try results(NFS3.program, NFS3.version, procedure.rawValue, arguments)
        let status = bytes.prefix(4).reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        return (NFS3Status(rawValue: status), Array(bytes.dropFirst(4)))
    }
}
