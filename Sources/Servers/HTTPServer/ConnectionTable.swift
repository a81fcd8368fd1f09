import HTTP1
import NetworkIO
import NetworkTypes
import Synchronization

/// One open connection, as the acceptor sees it.
final class ConnectionEntry: Sendable {
    let socket: StreamSocket
    /// Since when it waits for a request (monotonic nanoseconds); 0 while it works on one.
    let idleSince: Atomic<UInt64>

    init(_ socket: StreamSocket) {
        self.socket = socket
        idleSince = Atomic(monotonicNow())
    }
}

/// The open connections, all together and of each client address.
final class ConnectionTable: Sendable {
    private struct State {
        var open: [ObjectIdentifier: ConnectionEntry] = [:]
        var perPeer: [IPv4Address: Int] = [:]
        var isClosed = false

        mutating func drop(_ entry: ConnectionEntry) {
            guard open.removeValue(forKey: ObjectIdentifier(entry)) != nil, let peer = entry.socket.peer?.address else {
                return
            }
            let left = perPeer[peer, default: 1] - 1
            perPeer[peer] = left > 0 ? left : nil
        }
    }

    /// What became of a connection.
    enum Admission { case admitted, tooMany, tooManyOfPeer, closed }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.open.count } }

    /// Adds a connection; at a limit the one that has been idle for longest makes room, of the same client if the limit
    /// is the client's.
    func add(_ entry: ConnectionEntry, _ options: HTTPServerOptions) -> Admission {
        state.withLock { state in
            guard !state.isClosed else { return .closed }
            let peer = entry.socket.peer?.address
            if let peer, state.perPeer[peer, default: 0] >= options.connectionsPerPeer {
                guard makeRoom(&state, of: peer) else { return .tooManyOfPeer }
            } else if state.open.count >= options.connections {
                guard makeRoom(&state, of: nil) else { return .tooMany }
            }
            state.open[ObjectIdentifier(entry)] = entry
            if let peer { state.perPeer[peer, default: 0] += 1 }
            return .admitted
        }
    }

    private func makeRoom(_ state: inout State, of peer: IPv4Address?) -> Bool {
        var oldest: (entry: ConnectionEntry, since: UInt64)?
        for entry in state.open.values where peer == nil || entry.socket.peer?.address == peer {
            let since = entry.idleSince.load(ordering: .relaxed)
            if since > 0, since < oldest?.since ?? .max { oldest = (entry, since) }
        }
        guard let oldest else { return false }
        oldest.entry.socket.disconnect()
        state.drop(oldest.entry)
        return true
    }

    func remove(_ entry: ConnectionEntry) { state.withLock { $0.drop(entry) } }

    /// Cuts all connections, and lets no more in.
    func close() {
        state.withLock { state in
            state.isClosed = true
            for entry in state.open.values { entry.socket.disconnect() }
        }
    }
}
