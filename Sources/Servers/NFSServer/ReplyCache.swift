import Synchronization

/// The last replies to calls that must not be done twice, for clients that lost the reply with their connection.
///
/// A REMOVE that comes again on a new connection gets the reply of the first one, not ENOENT. Bounded; of one run of the
/// server, since it is for networks that fail, and a server that was killed has done hardly more than it has answered.
final class ReplyCache: Sendable {
    /// What is known about a call.
    enum Answer {
        /// It was not seen before; it is now.
        case new
        /// Another connection's thread is doing it.
        case underWay
        /// It is done, and this is the reply with its mark.
        case known([UInt8])
    }

    private struct Table {
        /// Empty until the call's effects are durable.
        var replies: [UInt64: [UInt8]] = [:]
        var order: [UInt64] = []
        var next = 0
    }

    private let table = Mutex(Table())
    private let capacity: Int

    /// Keeps at most `capacity` replies, of about 300 bytes each.
    init(capacity: Int = 8192) { self.capacity = capacity }

    /// Asks about a call, and notes that it is being done when it is new.
    func begin(_ key: UInt64) -> Answer {
        table.withLock { table in
            if let reply = table.replies[key] { return reply.isEmpty ? .underWay : .known(reply) }
            if table.order.count < capacity {
                table.order.append(key)
            } else {
                table.replies[table.order[table.next]] = nil
                table.order[table.next] = key
                table.next = (table.next + 1) % capacity
            }
            table.replies[key] = []
            return .new
        }
    }

    /// Keeps the replies of calls whose effects are durable.
    func settle(_ replies: [(key: UInt64, reply: [UInt8])]) {
        table.withLock { table in
            for (key, reply) in replies where table.replies[key] != nil { table.replies[key] = reply }
        }
    }

    /// Forgets calls whose effects could not be made durable.
    func forget(_ keys: some Sequence<UInt64>) {
        // Their places in the order stay, and are taken over one day.
        table.withLock { table in
            for key in keys { table.replies[key] = nil }
        }
    }
}
