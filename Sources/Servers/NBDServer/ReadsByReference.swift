import BlockStorage
import NBD
import NetworkIO

// READs that wait one behind another and lie in plain files: their data goes from the page cache to the socket without a copy.
extension TransmissionLoop {
    /// Replies go out once the pipe has this many bytes, although more requests wait.
    static let pipedLength = 64 << 10

    enum ReadOutcome {
        case done
        /// The connection is broken.
        case broken
        /// It has to be done in another way, where errors are told too.
        case unfit
    }

    /// Whether a READ is worth the pipe: one call more than a copy, so not for a single one, nor for a few bytes.
    func isWorthReference(_ request: NBDRequest) -> Bool {
        mayReference && filled == 0 && request.length >= 4096 && request.length <= UInt64(ReplyPipe.runLimit)
            && (moreWaits || hasPiped)
    }

    /// Whether replies wait in the pipe.
    var hasPiped: Bool { pipe.count > 0 }

    /// A READ's reply behind those that wait in the pipe.
    mutating func readReferenced(_ request: NBDRequest) -> ReadOutcome {
        var left = Int(request.length)
        var offset = request.offset
        // A reply in many pieces is rather copied.
        let runLimit = 8
        guard var run = storage.plainFile(at: offset, length: left), pipe.isReady() else { return .unfit }
        if !pipe.fits(left, runs: runLimit), !sendPiped() { return .broken }
        let headers = session.headers
        let hasBegun = unsafe pipe.begin(headers.readHeaderSize) {
            var head = unsafe MutableRawSpan(_unsafeBytes: $0)
            headers.encodeReadHeader(to: request, into: &head)
        }
        guard hasBegun else { return abandonPiped() }
        for _ in 0..<runLimit {
            guard pipe.add(run.descriptor, at: run.offset, length: run.length) else {
                // A place that cannot be read, or a file system that cannot do this.
                mayReference = false
                return abandonPiped()
            }
            offset += UInt64(run.length)
            left -= run.length
            guard left > 0, let next = storage.plainFile(at: offset, length: left) else { break }
            run = next
        }
        guard left == 0 else { return abandonPiped() }
        pipe.finish()
        traffic.read += request.length
        guard pipe.count >= Self.pipedLength else { return .done }
        return sendPiped() ? .done : .broken
    }

    private mutating func abandonPiped() -> ReadOutcome { sendPiped() ? .unfit : .broken }

    /// Sends the replies in the pipe, and forgets what is not one.
    mutating func sendPiped() -> Bool {
        sender.sendInPieces { socket in
            do throws(SystemCallError) { try pipe.send(to: socket) } catch { return false }
            return true
        }
    }
}
