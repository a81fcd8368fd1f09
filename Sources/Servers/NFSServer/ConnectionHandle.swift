import CLinux
import NetworkIO
import NetworkTypes
import Synchronization

/// What other threads may do to a connection: end it.
final class ConnectionHandle: Sendable {
    let number: UInt64
    let socket: StreamSocket
    let peer: Endpoint
    private let stopped = Atomic(false)
    private let known = Atomic(false)

    init(_ number: UInt64, _ socket: StreamSocket, _ peer: Endpoint) {
        self.number = number
        self.socket = socket
        self.peer = peer
    }

    /// Whether the connection must do no further request.
    var isStopped: Bool { stopped.load(ordering: .acquiring) }

    /// Whether it has made a call that we understand.
    var isKnown: Bool { known.load(ordering: .acquiring) }

    func setKnown() { known.store(true, ordering: .releasing) }

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
}
