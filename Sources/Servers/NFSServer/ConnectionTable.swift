import NetworkIO
import NetworkTypes

/// The connections there are, and which of them must go when there are too many.
struct ConnectionTable {
    private var connections: [UInt64: ConnectionHandle] = [:]
    /// Those that were cut for others and whose threads have not seen it yet; they count no more.
    private var leaving: Set<UInt64> = []
    private var counts = ConnectionCounts()
    private var lastNumber: UInt64 = 0

    /// What becomes of a connection that has just come.
    enum Admission {
        /// It is served; another one is to be cut for its sake.
        case served(ConnectionHandle, leaving: ConnectionHandle?)
        /// It is closed.
        case refused(String)
    }

    var count: Int { connections.count }
    var all: [ConnectionHandle] { Array(connections.values) }
    subscript(number: UInt64) -> ConnectionHandle? { connections[number] }

    /// Takes a connection in, if there is room or somebody has more than his share.
    mutating func admit(_ socket: StreamSocket, _ peer: Endpoint, _ limits: NFSServer.Limits) -> Admission {
        let own = counts[peer.address]
        guard own < limits.connectionsPerPeer else { return .refused("it has too many connections") }
        var dispensable: ConnectionHandle?
        if connections.count - leaving.count >= limits.connections {
            dispensable = self.dispensable(own + 1)
            // Those that leave have threads and memory as long as they are here.
            guard dispensable != nil, leaving.count < limits.silent else {
                return .refused("there are too many connections")
            }
        }
        lastNumber += 1
        let handle = ConnectionHandle(lastNumber, socket, peer)
        connections[lastNumber] = handle
        counts.add(peer.address)
        if dispensable == nil, connections.count > limits.silent { dispensable = crowding(limits.silent) }
        if let dispensable {
            leaving.insert(dispensable.number)
            counts.remove(dispensable.peer.address)
        }
        return .served(handle, leaving: dispensable)
    }

    mutating func remove(_ handle: ConnectionHandle) {
        guard connections.removeValue(forKey: handle.number) != nil else { return }
        if leaving.remove(handle.number) == nil { counts.remove(handle.peer.address) }
    }

    /// A connection of the address that has the most, when these are more than `share`: an idle one if there is any, else the oldest.
    ///
    /// A client of NFS loses nothing with it: it connects anew and sends again what was not answered.
    private func dispensable(_ share: Int) -> ConnectionHandle? {
        guard let greediest = counts.greediest, greediest.count > share else { return nil }
        return connections.values.filter { $0.peer.address == greediest.address && !leaving.contains($0.number) }
            .min { ($0.isIdle ? 0 : 1, $0.number) < ($1.isIdle ? 0 : 1, $1.number) }
    }

    /// When more than `limit` have made no call, the oldest of the address that has most of these.
    private func crowding(_ limit: Int) -> ConnectionHandle? {
        let silent = connections.values.filter { !$0.isKnown && !leaving.contains($0.number) }
        guard silent.count > limit else { return nil }
        var counts = ConnectionCounts()
        for handle in silent { counts.add(handle.peer.address) }
        return silent.min { (-counts[$0.peer.address], $0.number) < (-counts[$1.peer.address], $1.number) }
    }
}
