import Synchronization

/// The exports whose storage failed in the middle of a reply, when it was too late to tell the client.
///
/// A client that loses its connection asks the same on the next one, for ever. So from then on a long READ of such an
/// export is tried before its reply begins, and the client gets its error.
final class ReadFaults: Sendable {
    private let exports = Mutex<Set<String>>([])

    func note(_ export: String) {
        exports.withLock { exports in
            if exports.count >= 1024 { exports = [] }
            exports.insert(export)
        }
    }

    func has(_ export: String) -> Bool { exports.withLock { $0.contains(export) } }
}
