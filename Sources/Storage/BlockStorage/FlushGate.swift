import CLinux
import Synchronization

/// Lets callers of a slow sync share passes: who comes while one runs waits for the next, and that one serves all.
///
/// After an I/O error every later flush fails too: the kernel reports lost pages once and then calls them clean, so a
/// second fdatasync that "succeeds" proves nothing. What has a name stays broken when it is opened again in this process.
final class FlushGate: Sendable {
    /// The names of what lost something; bounded, for a disk that fails so often has nothing left to lose.
    private static let broken = Mutex<Set<String>>([])
    private static let limit = 65536

    private let name: String?

    /// A gate for what is known by `name`, such as its path; nil for what is opened once.
    init(_ name: String? = nil) {
        self.name = name
        if let name, Self.broken.withLock({ $0.contains(name) }) { tickets.withLock { $0.isBroken = true } }
    }

    /// Forgets that something of this name was broken: it is removed.
    static func forget(_ name: String) { broken.withLock { _ = $0.remove(name) } }

    private func setBroken() {
        tickets.withLock { $0.isBroken = true }
        guard let name else { return }
        Self.broken.withLock { if $0.count < Self.limit { $0.insert(name) } }
    }

    private struct Tickets {
        var requested: UInt64 = 0
        var covered: UInt64 = 0
        var isBroken = false
    }

    private let tickets = Mutex(Tickets())
    /// Held during a pass; who waits for it finds out afterwards whether the pass has covered it.
    private let pass = Mutex(())

    /// Runs `sync`, or waits for a pass of another caller that began after this call.
    func flush(_ sync: () throws(BlockError) -> Void) throws(BlockError) {
        let ticket = tickets.withLock { tickets in
            tickets.requested += 1
            return tickets.requested
        }
        try pass.withLock { _ throws(BlockError) in
            let (covers, isDone, isBroken) = tickets.withLock { ($0.requested, $0.covered >= ticket, $0.isBroken) }
            if isBroken { throw BlockError(EIO) }
            if isDone { return }
            do throws(BlockError) { try sync() } catch {
                if error.number == EIO { setBroken() }
                throw error
            }
            tickets.withLock { $0.covered = covers }
        }
    }
}
