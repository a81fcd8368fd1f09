import CLinux
import NetworkIO
import Synchronization

/// What other threads may do to a connection: end it, and wait for its end.
final class ConnectionHandle: Sendable {
    let peer: NBDPeer
    private let current: Mutex<StreamSocket>
    /// Held by the connection's thread as long as it lives.
    let running = Mutex(())
    private let stopped = Atomic(false)
    private let negotiated = Atomic(false)

    init(_ socket: StreamSocket, _ peer: NBDPeer) {
        current = Mutex(socket)
        self.peer = peer
    }

    /// Where the connection's bytes come and go: the client's socket, or the plain end of its TLS tunnel.
    var socket: StreamSocket { current.withLock { $0 } }

    /// Goes on through a tunnel; the tunnel owns the client's socket from then on.
    func replaceSocket(with plain: StreamSocket) {
        current.withLock { $0 = plain }
        if isStopped { plain.disconnect() }
    }

    /// Whether the connection must do no further request.
    var isStopped: Bool { stopped.load(ordering: .acquiring) }

    /// Whether the handshake is over.
    var isNegotiated: Bool { negotiated.load(ordering: .acquiring) }

    func setNegotiated() { negotiated.store(true, ordering: .releasing) }

    /// Lets the connection finish the requests it has read, and no more.
    func drain() {
        stopped.store(true, ordering: .releasing)
        shutdown(socket.descriptor.number, CInt(SHUT_RD))
    }

    /// Ends the connection, also in the middle of a reply.
    func cut() {
        stopped.store(true, ordering: .releasing)
        socket.disconnect()
    }

    /// Ends the connection and returns when it does nothing any more.
    func cutAndWait() {
        cut()
        running.withLock { _ in }
    }
}
