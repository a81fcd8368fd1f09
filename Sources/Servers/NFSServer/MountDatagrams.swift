import CLinux
import FileTree
package import Logging
import NFS3
import NetworkIO
package import NetworkTypes
import ONCRPC
import XDR

/// MOUNT over UDP, on the NFS server's own port, for clients that find it by the port mapper.
///
/// Files are served over TCP alone. An address can be made up here, so a reply is no longer than a datagram goes whole, and
/// it goes to the client whose trees it tells of, nowhere else.
package final class MountDatagrams: Sendable {
    /// Where it listens.
    package var endpoint: Endpoint { datagrams.endpoint }

    private let datagrams: DatagramService
    private let server: NFSServer

    /// Longest call that is looked at, in bytes: a path and a credential with all its groups.
    private static let callLimit = 2048
    /// Longest reply, in bytes: what an Ethernet frame carries.
    private static let replyLimit = 1400

    /// Listens at `address`, on the server's port.
    ///
    /// Throws when the port is taken.
    package init(on address: IPv4Address, beside server: NFSServer, logger: Logger) throws {
        self.server = server
        datagrams = try DatagramService(on: Endpoint(address, server.endpoint.port), logger: logger)
    }

    /// Answers on a thread of its own.
    package func start() throws {
        try WorkerThread.start("nfs-mount-udp") { [self] in
            do {
                var thread = try ThreadIdentity()
                datagrams.run(limit: Self.callLimit) { call, peer in reply(to: call, from: peer, on: &thread) }
            } catch {
                server.logger.warning("no MOUNT over UDP", metadata: ["why": "\(error)"])
            }
        }
    }

    /// Ends it.
    package func stop() { datagrams.stop() }

    private func reply(to call: ArraySlice<UInt8>, from peer: Endpoint, on thread: inout ThreadIdentity) -> [UInt8]? {
        var room = [UInt8](repeating: 0, count: Self.replyLimit)
        let count = unsafe call.withUnsafeBytes { bytes in
            unsafe room.withUnsafeMutableBytes { memory in
                var writer = unsafe XDRWriter(unsafely: memory)
                let record = unsafe RawSpan(_unsafeBytes: bytes)
                guard answer(record, from: peer, on: &thread, into: &writer), !writer.overflowed else { return 0 }
                return writer.count
            }
        }
        return count > 0 ? Array(room.prefix(count)) : nil
    }

    /// False when there is nothing to be sent.
    private func answer(
        _ record: RawSpan,
        from peer: Endpoint,
        on thread: inout ThreadIdentity,
        into writer: inout XDRWriter
    ) -> Bool {
        var reader = XDRReader(record)
        let call: RPCCall
        switch RPCAdmission(decoding: &reader, program: Mount3.program, version: Mount3.version, into: &writer) {
        case .call(let admitted): call = admitted
        case .answered: return true
        case .ignored: return false
        }
        // As over TCP: AUTH_SYS, whatever it says, or none.
        guard call.flavor == .sys || call.flavor == .none else {
            RPCReply.encodeAuthError(xid: call.xid, .badCredential, into: &writer)
            return true
        }
        let room = Self.replyLimit - writer.count - 64
        Mount3Calls(server: server, peer: peer, listingRoom: room).serve(call, &reader, &writer, on: &thread)
        return true
    }
}
