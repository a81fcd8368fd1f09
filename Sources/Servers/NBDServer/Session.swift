import BlockStorage
import CLinux
import NBD
import NetworkIO

/// Serves the requests of one connection: what has arrived is answered in few sends.
struct TransmissionLoop: ~Copyable {
    /// Reads up to this length are copied into the common reply; longer ones go out by sendfile, in bytes.
    static let directLength = 32 << 10
    /// Room for requests, in bytes; longer writes pass through it in pieces.
    static let inputSize = 256 << 10
    /// Room for replies, in bytes.
    static let outputSize = 320 << 10
    /// Replies go out once they are this long, in bytes, although more requests wait.
    ///
    /// The client works on the first ones while the rest is read: taking turns costs a third of the reads in a second. 64 KiB
    /// is the longest piece that TCP carries in one: shorter ones cost a read a seventh more.
    static let sendLength = 64 << 10
    /// After this many idle seconds the buffers' memory is given back.
    static let idleSeconds = 10.0

    let handle: ConnectionHandle
    let socket: StreamSocket
    var session: NBDSession
    let storage: any BlockStorage
    let sender: ReplySender
    let flusher: Flusher
    let faults: ReadFaults
    /// Whether long reads are tried before their reply begins.
    let triesReads: Bool
    let input: TransferBuffer
    let output: TransferBuffer
    /// Bytes in `input` that are not served yet.
    var have = 0
    /// Bytes in `output` that are not sent yet.
    var filled = 0
    /// Replies that go out by reference; never while some wait in `output`, so that their order stays.
    var pipe: ReplyPipe
    /// Whether files could be read that way so far.
    var mayReference = true
    var traffic = NBDTraffic()
    /// Whether a whole request waits behind the one being served.
    var moreWaits = false
    /// Whether segments that are not full are held back, until the requests in the buffer are served.
    var holdsPartSegments = false
    /// Whether writes that arrive together are done together.
    let gathersWrites: Bool
    /// Writes that wait to be done together, and what they write, in `input`.
    var gatheredRequests: [NBDRequest] = []
    var gatheredWrites: [BlockWrite] = []
    /// Why the last reply could not be sent, when it was not the client's doing.
    var failure: String?
    /// Where changes wait for room; nil where the client is told that there is none.
    let room: RoomWait?
    /// Whether the session ended while a change waited for room.
    var endedWaiting = false

    /// A loop that begins with `early`, which came in one piece with the end of the handshake.
    init(
        _ handle: ConnectionHandle,
        _ session: NBDSession,
        _ storage: any BlockStorage,
        room: RoomWait?,
        faults: ReadFaults,
        early: [UInt8]
    ) throws(SystemCallError) {
        // First what can fail: a value is never half made.
        let input = try TransferBuffer(capacity: Self.inputSize)
        let output = try TransferBuffer(capacity: Self.outputSize)
        let pipe = try ReplyPipe()
        self.handle = handle
        socket = handle.socket
        self.session = session
        self.storage = storage
        self.faults = faults
        triesReads = faults.has(session.exportName)
        gathersWrites = storage.capabilities.contains(.gathering)
        sender = ReplySender(socket)
        flusher = Flusher(storage, sender, session.headers, room: room)
        self.room = room
        self.input = input
        self.output = output
        self.pipe = pipe
        unsafe self.input.part(0, early.count).copyBytes(from: early)
        have = early.count
    }

    /// Serves until the client leaves, vanishes or errs; returns why, nil when it said goodbye.
    mutating func run() -> String? {
        socket.setTimeouts(receive: Self.idleSeconds)
        var outcome = serveBuffered()
        while case .goOn = outcome {
            if handle.isStopped {
                outcome = .end("the server ended the session")
            } else if let reason = receive() {
                outcome = .end(reason)
            } else {
                outcome = serveBuffered()
            }
        }
        // A flush that waits for room waits no longer.
        handle.drain()
        flusher.drain()
        if case .end(let reason) = outcome { return reason }
        return nil
    }

    enum Outcome {
        case goOn
        case goodbye
        case end(String)
    }

    /// Reads what has arrived; the reason when there will be no more.
    private mutating func receive() -> String? {
        while true {
            do throws(SystemCallError) {
                let count = unsafe try socket.receive(into: input.part(have, input.capacity - have))
                guard count > 0 else { return "the client closed the connection" }
                have += count
                return nil
            } catch {
                guard error.number == EAGAIN else { return error.reason }
                waitIdle()
            }
        }
    }

    /// Gives the buffers' memory back until something arrives.
    private mutating func waitIdle() {
        if have == 0 { input.release() }
        output.release()
        pipe.release()
        var descriptor = pollfd(fd: socket.descriptor.number, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&descriptor, 1, -1)
    }

    /// Serves every whole request in the buffer and sends the replies.
    private mutating func serveBuffered() -> Outcome {
        var position = 0
        let isExtended = session.headers == .extended
        let headerSize = session.headers.requestSize
        while have - position >= headerSize {
            let header = unsafe UnsafeRawBufferPointer(input.part(position, headerSize))
            let bytes = unsafe header.bindMemory(to: UInt8.self)
            guard let request = unsafe try? NBDRequest(decoding: bytes.span, extended: isExtended) else {
                _ = finishGathered() && sendOutput()
                return .end("the client sent something that is not a request")
            }
            let payload = request.payloadLength
            if payload > have - position - headerSize {
                guard !isExtended || payload <= Int(NBDSession.maximumPayload) else {
                    _ = finishGathered() && sendOutput()
                    return .end("the client sends more than 32 MiB with one request")
                }
                guard headerSize + payload > input.capacity else { break }
                // Replies that wait here must not wait for the client's data too.
                guard finishGathered(), sendOutput() else { return .end(brokenReason) }
                // Too long for the buffer: it passes through in pieces.
                dropServed(position + headerSize)
                position = 0
                if let reason = streamWrite(request) { return .end(reason) }
                continue
            }
            if request.command == .disconnect {
                _ = finishGathered() && sendOutput()
                return .goodbye
            }
            position += headerSize
            let data = unsafe UnsafeRawBufferPointer(input.part(position, payload))
            position += payload
            moreWaits = have - position >= headerSize
            guard unsafe serve(request, data) else {
                return .end(brokenReason)
            }
        }
        guard finishGathered(), sendOutput() else { return .end(brokenReason) }
        if holdsPartSegments {
            socket.holdPartSegments(false)
            holdsPartSegments = false
        }
        dropServed(position)
        return .goOn
    }

    /// Why the session cannot go on after a request could not be answered.
    private var brokenReason: String {
        if endedWaiting { return "the server's disk has no room, and the session ended before it had" }
        return failure ?? "the client does not take its replies"
    }

    /// Does a change, where it must be when there is room for it; false when it was not done and the session is over.
    mutating func change(_ body: () throws(BlockError) -> Void) throws(BlockError) -> Bool {
        guard let room else {
            try body()
            return true
        }
        do throws(BlockError) {
            try body()
            room.succeeded()
            return true
        } catch {
            guard room.holds(error) else { throw error }
        }
        // Replies that wait here must not wait for room too.
        guard sendOutput() else { return false }
        endedWaiting = try !room.patiently(body)
        return !endedWaiting
    }

    /// Moves what is not served yet to the front of the buffer.
    private mutating func dropServed(_ count: Int) {
        guard count > 0 else { return }
        have -= count
        if have > 0 { unsafe memmove(input.start, input.start + count, have) }
    }

    /// Sends the replies that have gathered.
    mutating func sendOutput() -> Bool {
        guard filled > 0 else { return !hasPiped || sendPiped() }
        defer { filled = 0 }
        return unsafe sender.send(UnsafeRawBufferPointer(output.part(0, filled)))
    }

    /// Does a WRITE, or refuses another request, whose data begin at the front of the buffer and are longer than it.
    ///
    /// Returns the reason when that fails.
    private mutating func streamWrite(_ request: NBDRequest) -> String? {
        let refusal = session.refusal(of: request)
        var code = refusal?.code ?? .none
        var offset = request.offset
        var left = request.payloadLength
        // Whole blocks, so that a copy-on-write layer need not fill them from its base.
        var piece = input.capacity - Int(offset % 4096)
        while left > 0 {
            piece = min(piece, left)
            while have < piece {
                if handle.isStopped { return "the server ended the session" }
                if let reason = receive() { return reason }
            }
            if code == .none {
                let (storage, place) = unsafe (storage, UnsafeRawBufferPointer(input.part(0, piece)))
                do throws(BlockError) {
                    let isDone = try change { () throws(BlockError) in unsafe try storage.write(place, at: offset) }
                    guard isDone else { return brokenReason }
                    traffic.written += UInt64(piece)
                } catch { code = NBDErrorCode(errno: error.number) }
            }
            dropServed(piece)
            offset &+= UInt64(piece)
            left -= piece
            piece = input.capacity
        }
        let reason = refusal.map { "\($0.reason)" } ?? "write failed"
        return finishChange(request, code, reason) ? nil : brokenReason
    }
}
