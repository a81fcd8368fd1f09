import BlockStorage
import CLinux
import FileSystems
import Logging
import NetworkIO
import NetworkTypes
import Synchronization

/// Holds the changes of one connection for which the server's disk has no room, until it has.
///
/// Linux makes an I/O error of every error that NBD can tell, and a file system that meets one in its journal is read-only
/// until the next boot. A request without an answer hurts nothing: its client waits, or sends it again on the next connection.
final class RoomWait: Sendable {
    /// How long it waits before a change is tried again, in milliseconds.
    static let period: CInt = 1000

    private let handle: ConnectionHandle
    private let export: String
    private let path: String
    private let server: NBDServer
    private let peer: NBDPeer
    /// Whether the export waits, on this connection or since an earlier one.
    private let isWaiting: Atomic<Bool>

    /// For the session of `peer` with `export`, which writes to the file system of `path`.
    init(_ handle: ConnectionHandle, _ peer: NBDPeer, _ export: String, path: String, server: NBDServer) {
        self.handle = handle
        self.peer = peer
        self.export = export
        self.path = path
        self.server = server
        isWaiting = Atomic(server.waiting.has(export))
    }

    /// Whether a change that failed with `error` is to be held.
    func holds(_ error: BlockError) -> Bool { error.number == ENOSPC || error.number == EDQUOT }

    /// Does `change` as soon as there is room for it; false when the session ends before, and nothing is to be answered.
    func patiently(_ change: () throws(BlockError) -> Void) throws(BlockError) -> Bool {
        while true {
            do throws(BlockError) {
                try change()
                succeeded()
                return true
            } catch {
                guard holds(error) else { throw error }
                begin(error)
                guard pause() else { return false }
            }
        }
    }

    /// A change found room.
    func succeeded() {
        guard isWaiting.load(ordering: .relaxed), isWaiting.exchange(false, ordering: .relaxed),
            let seconds = server.waiting.end(export)
        else { return }
        server.logger.notice(
            "NBD export goes on: its disk has room again",
            metadata: ["peer": "\(peer)", "export": "\(export.printable)", "seconds": "\(seconds)"]
        )
        server.source.foundRoom(export, peer: peer, seconds: seconds)
    }

    private func begin(_ error: BlockError) {
        isWaiting.store(true, ordering: .relaxed)
        guard server.waiting.begin(export) else { return }
        let room = FileSystemRoom(at: path)
        let place = room?.mountPoint ?? path
        let left = room.map { "\($0.summary), \($0.freeFiles) files" } ?? "an unknown amount of room"
        server.logger.error(
            "NBD export waits for room: its node stands still until there is some",
            metadata: [
                "peer": "\(peer)", "export": "\(export.printable)", "filesystem": "\(place)",
                "free": "\(left)", "why": "\(error.reason)",
            ]
        )
        server.source.waitsForRoom(export, peer: peer, room: "\(place) has \(left)")
    }

    /// Lets some time pass; false at once when the session ends.
    private func pause() -> Bool {
        guard !handle.isStopped else { return false }
        // What the client sends meanwhile waits; that it leaves, or that another thread ends the session, must not.
        var descriptor = pollfd(fd: handle.socket.descriptor.number, events: Int16(POLLRDHUP), revents: 0)
        let count = unsafe poll(&descriptor, 1, Self.period)
        // An interrupted wait is a short one.
        return count <= 0 && !handle.isStopped
    }
}

/// The exports that wait for room: each wait is told of once, however often a client dials meanwhile.
final class WaitingExports: Sendable {
    private let since = Mutex<[String: ContinuousClock.Instant]>([:])

    func has(_ export: String) -> Bool { since.withLock { $0[export] != nil } }

    /// Whether the wait is a new one.
    func begin(_ export: String) -> Bool {
        since.withLock { since in
            guard since[export] == nil else { return false }
            // Those of boots that are over never end.
            if since.count >= 4096 { since = [:] }
            since[export] = .now
            return true
        }
    }

    /// How many seconds it took; nil when it is over already.
    func end(_ export: String) -> Int? {
        since.withLock { $0.removeValue(forKey: export) }.map { Int((.now - $0).components.seconds) }
    }
}
