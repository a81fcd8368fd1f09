import BlockStorage
import CLinux
import NBD
import NetworkIO
import Synchronization

/// Makes data durable beside a connection's other requests: they go on while the disk syncs.
///
/// The protocol asks a flush to cover every write whose reply the client has; the connection's thread has done all
/// earlier writes before it hands a flush over, so one sync covers all that have gathered. The thread starts with the
/// first flush and ends when none is left.
final class Flusher: Sendable {
    /// How many flushes of one connection may wait; a client that sends more waits for its own disk.
    static let limit = 4096

    private struct Waiting {
        var requests: [NBDRequest] = []
        var isRunning = false
    }

    private let storage: any BlockStorage
    private let sender: ReplySender
    private let headers: NBDHeaders
    private let room: RoomWait?
    private let waiting = Mutex(Waiting())
    /// Held during a pass, so that the end of a connection can wait for it.
    private let pass = Mutex(())

    init(_ storage: any BlockStorage, _ sender: ReplySender, _ headers: NBDHeaders, room: RoomWait?) {
        self.room = room
        self.storage = storage
        self.sender = sender
        self.headers = headers
    }

    /// Answers `request` once everything written so far is durable.
    func add(_ request: NBDRequest) {
        let (start, isFull) = waiting.withLock { waiting in
            waiting.requests.append(request)
            defer { waiting.isRunning = true }
            return (!waiting.isRunning, waiting.requests.count >= Self.limit)
        }
        guard start || isFull else { return }
        if start {
            do throws(SystemCallError) {
                try WorkerThread.start("nbd-flush") { [self] in run() }
                return
            } catch {
                // No thread to be had: the connection's own does it.
                run()
            }
        } else {
            flushOnce()
        }
    }

    private func run() {
        while flushOnce() {}
    }

    /// Serves what waits; false, and no longer running, when nothing does.
    @discardableResult
    private func flushOnce() -> Bool {
        pass.withLock { _ in
            let requests = waiting.withLock { waiting in
                defer { waiting.requests = [] }
                return waiting.requests
            }
            var code = NBDErrorCode.none
            if !requests.isEmpty {
                var isDone = true
                do throws(BlockError) { isDone = try flush() } catch {
                    code = NBDErrorCode(errno: error.number)
                }
                if isDone { reply(requests, code) }
            }
            return waiting.withLock { waiting in
                if waiting.requests.isEmpty { waiting.isRunning = false }
                return waiting.isRunning
            }
        }
    }

    /// False when the session ended while there was no room for it: then nobody is answered.
    private func flush() throws(BlockError) -> Bool {
        if let room { return try room.patiently { () throws(BlockError) in try storage.flush() } }
        try storage.flush()
        return true
    }

    private func reply(_ requests: [NBDRequest], _ error: NBDErrorCode) {
        var bytes: [UInt8] = []
        for request in requests { bytes += NBDReplyBytes.plain(request, error, "flush failed", headers) }
        _ = unsafe bytes.withUnsafeBytes { unsafe sender.send($0) }
    }

    /// Serves what still waits, after the pass that runs; the connection takes no more requests.
    func drain() { flushOnce() }
}

/// Replies without data.
enum NBDReplyBytes {
    static func plain(
        _ request: NBDRequest,
        _ error: NBDErrorCode,
        _ reason: String,
        _ headers: NBDHeaders
    ) -> [UInt8] {
        guard headers == .simple else {
            let chunk = NBDReplyChunk(extended: headers == .extended)
            return error == .none ? chunk.done(request) : chunk.error(error, to: request, reason: reason)
        }
        var bytes = [UInt8](repeating: 0, count: NBDSimpleReply.headerSize)
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        NBDSimpleReply.encode(cookie: request.cookie, error: error, into: &raw)
        return bytes
    }
}
