import BlockStorage
import CLinux
import Logging
import NBD
import NetworkIO
import NetworkTypes
import Synchronization
import TLSTunnel

/// One connection from its first byte to its last, on its own thread.
struct NBDConnection {
    let server: NBDServer
    let handle: ConnectionHandle
    /// Who is connected, with the name in its certificate once that is known.
    var peer: NBDPeer

    init(server: NBDServer, handle: ConnectionHandle) {
        self.server = server
        self.handle = handle
        peer = handle.peer
    }

    /// A client must have opened an export within this many seconds.
    static let handshakeSeconds = 30

    /// The export that was opened, and its session.
    private struct Opened {
        var export: NBDExport
        var session: NBDSession
    }

    mutating func run() {
        serve()
        server.ended(handle)
    }

    private mutating func serve() {
        handle.running.withLock { _ in
            handle.socket.setPromptDelivery()
            do {
                guard let (opened, early) = try negotiate() else { return }
                handle.setNegotiated()
                transmit(opened, early)
            } catch let failure as HandshakeFailure {
                server.logOnce(handle.peer, failure.reason)
            } catch {
                server.logger.debug("NBD client left", metadata: ["peer": "\(handle.peer)", "why": "\(error)"])
            }
        }
    }

    private struct HandshakeFailure: Error { var reason: String }

    /// The handshake; nil when the client ends it.
    private mutating func negotiate() throws -> (Opened, early: [UInt8])? {
        var socket = handle.socket
        socket.setTimeouts(receive: 10, send: 10)
        defer { socket.setTimeouts(receive: 0, send: 0) }
        let encryption = server.encryption
        var machine = NBDHandshake(tls: encryption.map { $0.isRequired ? .required : .allowed } ?? .unavailable)
        var opened: NBDExport?
        var unread: [UInt8] = []
        let deadline = secondsNow() + Self.handshakeSeconds
        try socket.send(NBDHandshake.greeting)
        while true {
            let input = unread
            let step = machine.receive(input.span)
            unread.removeFirst(step.consumed)
            var actions = step.actions
            var output: [UInt8] = []
            while !actions.isEmpty {
                switch actions.removeFirst() {
                case .send(let bytes): output += bytes
                case .openExport(let name, let purpose):
                    actions += machine.answer(export: open(name, purpose, &opened))
                case .listExports: actions += machine.answer(list: server.source.list(peer: peer))
                case .startTLS:
                    guard let encryption, unread.isEmpty else {
                        throw HandshakeFailure(reason: "sends more in the clear after it asked for TLS")
                    }
                    try socket.send(output)
                    output = []
                    socket = try startTLS(encryption.identity)
                case .beginTransmission(let session):
                    try socket.send(output)
                    return opened.map { (Opened(export: $0, session: session), unread) }
                case .close(let reason):
                    try socket.send(output)
                    if let reason { throw HandshakeFailure(reason: reason) }
                    return nil
                }
            }
            if !output.isEmpty { try socket.send(output) }
            guard step.consumed == 0 else { continue }
            guard secondsNow() < deadline else { throw HandshakeFailure(reason: "no export was opened in time") }
            guard let more = try receive() else { return nil }
            unread += more
        }
    }

    /// Goes on over TLS; the plain end of its tunnel.
    private mutating func startTLS(_ identity: TLSIdentity) throws -> StreamSocket {
        do {
            let tunnel = try TLSTunnel(accepting: handle.socket, as: identity, seconds: 10)
            tunnel.plain.setTimeouts(receive: 10, send: 10)
            handle.replaceSocket(with: tunnel.plain)
            peer.certificateName = tunnel.clientName
            return tunnel.plain
        } catch let error as TLSError { throw HandshakeFailure(reason: error.description) }
    }

    /// Some bytes of the handshake; nil when the client has gone.
    private func receive() throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        do {
            let count = try unsafe bytes.withUnsafeMutableBytes { unsafe try handle.socket.receive(into: $0) }
            return count > 0 ? Array(bytes[..<count]) : nil
        } catch let error as SystemCallError where error.number == EAGAIN {
            throw HandshakeFailure(reason: "says nothing")
        }
    }

    private func secondsNow() -> Int {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec
    }

    private func open(
        _ name: String,
        _ purpose: NBDExportPurpose,
        _ opened: inout NBDExport?
    ) -> Result<NBDExportDescription, NBDExportRefusal> {
        guard !server.isStopping else { return .failure(NBDExportRefusal(.shuttingDown, "the server is stopping")) }
        do throws(NBDExportRefusal) {
            let export = try server.source.open(name, purpose: purpose, peer: peer)
            if purpose == .transmission {
                if let key = export.onlySession { server.replaceSession(key, with: handle) }
                opened = export
            }
            return .success(export.description)
        } catch {
            server.logger.notice(
                "NBD export refused",
                metadata: [
                    "peer": "\(peer)", "export": "\(name.printable)", "why": "\(error.reason.printable)",
                ]
            )
            return .failure(error)
        }
    }

    private func transmit(_ opened: Opened, _ early: [UInt8]) {
        defer { withExtendedLifetime(opened) {} }
        let metadata: Logger.Metadata = ["peer": "\(peer)", "export": "\(opened.session.exportName.printable)"]
        server.logger.info("NBD session begins", metadata: metadata)
        server.source.connected(opened.session.exportName, peer: peer)
        var traffic = NBDTraffic()
        var why: String?
        do throws(SystemCallError) {
            let name = opened.session.exportName
            var loop = try TransmissionLoop(
                handle,
                opened.session,
                opened.export.storage,
                room: opened.export.waitsForRoomAt.map { [peer, server] path in
                    RoomWait(handle, peer, name, path: path, server: server)
                },
                faults: server.faults,
                early: early
            )
            why = loop.run()
            if let failure = loop.failure {
                server.logger.error("NBD export failed", metadata: metadata.merging(["why": "\(failure)"]) { $1 })
            }
            traffic = loop.traffic
        } catch { why = error.description }
        server.logger.info(
            "NBD session ends",
            metadata: metadata.merging(
                ["why": "\(why ?? "the client is done")", "read": "\(traffic.read)", "written": "\(traffic.written)"]
            ) { $1 }
        )
        server.source.disconnected(opened.session.exportName, peer: peer, traffic: traffic)
    }
}
