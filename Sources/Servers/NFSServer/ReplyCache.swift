import CLinux
import FileTree
import Synchronization

/// The last replies to calls that must not be done twice, for clients that lost the reply with their connection.
///
/// A REMOVE that comes again on a new connection gets the reply of the first one, not ENOENT. Bounded. Calls that change
/// names are in the journal too, so that the reply is there when the server was killed before the client had it.
final class ReplyCache: Sendable {
    /// What is known about a call.
    enum Answer {
        /// It was not seen before; it is now. With `mayBeDone` an earlier run was killed while it did it.
        case new(mayBeDone: Bool)
        /// Another connection's thread is doing it.
        case underWay
        /// It is done, and this is the reply with its mark.
        case known([UInt8])
    }

    /// The longest reply that is kept, in bytes; those of Linux's calls that change something are far shorter.
    static let replyLimit = 4096

    private struct Table: ~Copyable {
        /// Empty until the call's effects are durable.
        var replies: [UInt64: [UInt8]] = [:]
        var order: [UInt64] = []
        var next = 0
        var journal: ReplyJournal?
        /// What an earlier run had begun.
        var begun: Set<UInt64> = []
        /// What an earlier run had done, but not made durable.
        var loose: Set<UInt64> = []
    }

    private let table: Mutex<Table>
    private let capacity: Int
    /// Makes the same numbers of the same calls as long as there is a journal.
    private let hash: HandleKey?

    /// Keeps at most `capacity` replies, of about 300 bytes each, and begins with those of the journal.
    init(journal: consuming ReplyJournal? = nil, capacity: Int = 8192) {
        self.capacity = capacity
        var secret = [UInt8](repeating: 0, count: 16)
        _ = unsafe getrandom(&secret, 16, 0)
        var start = Table()
        if let journal {
            secret = journal.secret
            for entry in journal.entries {
                switch entry.state {
                case .void: break
                case .begun: start.begun.insert(entry.key)
                case .done, .durable:
                    guard !entry.reply.isEmpty, start.replies.updateValue(entry.reply, forKey: entry.key) == nil else {
                        break
                    }
                    start.order.append(entry.key)
                    if entry.state == .done { start.loose.insert(entry.key) }
                }
            }
            start.journal = consume journal
        }
        hash = HandleKey(bytes: secret)
        table = Mutex(start)
    }

    /// The number of a call: of its bytes and who sent it.
    func key(_ bytes: [UInt8]) -> UInt64 { hash?.hash(bytes) ?? 0 }

    /// Asks about a call, and notes that it is being done when it is new; `isLasting` when that has to outlive a kill.
    func begin(_ key: UInt64, isLasting: Bool) -> Answer {
        let (answer, isLoose): (Answer, Bool) = table.withLock { table in
            if let reply = table.replies[key] {
                return reply.isEmpty ? (.underWay, false) : (.known(reply), table.loose.contains(key))
            }
            if table.order.count < capacity {
                table.order.append(key)
            } else {
                table.replies[table.order[table.next]] = nil
                table.order[table.next] = key
                table.next = (table.next + 1) % capacity
            }
            table.replies[key] = []
            if isLasting { table.journal?.begin(key) }
            return (.new(mayBeDone: !table.begun.isEmpty && table.begun.remove(key) != nil), false)
        }
        if isLoose {
            // The promise of the reply: on the disk. Whose disk it is, nobody knows any more; it is done once.
            sync()
            table.withLock { $0.loose = [] }
        }
        return answer
    }

    /// Notes the reply of a call that is done, though not yet durable.
    func done(_ key: UInt64, _ reply: some Collection<UInt8>) { table.withLock { $0.journal?.done(key, reply) } }

    /// Keeps the replies of calls whose effects are durable.
    func settle(_ replies: [(key: UInt64, reply: [UInt8])]) {
        table.withLock { table in
            for (key, reply) in replies where table.replies[key] != nil {
                table.replies[key] = reply
                table.journal?.settle(key)
            }
        }
    }

    /// Forgets calls whose effects could not be made durable.
    func forget(_ keys: some Sequence<UInt64>) {
        // Their places in the order stay, and are taken over one day.
        table.withLock { table in
            for key in keys {
                table.replies[key] = nil
                table.journal?.forget(key)
            }
        }
    }
}
