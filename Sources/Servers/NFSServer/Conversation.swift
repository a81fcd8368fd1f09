import CLinux
import FileTree
import NFS4
import NetworkIO
import ONCRPC
import XDR

/// One connection from its first byte to its last, on its own thread: all calls that have arrived are answered in one send.
struct Conversation: ~Copyable {
    /// Reads up to this length are copied into the common reply; longer ones go out by sendfile, in bytes.
    static let directLength = 32 << 10
    /// The longest READ and WRITE, in bytes.
    static let transferLimit = 1 << 20
    /// The longest directory listing, in bytes.
    static let listingLimit = 64 << 10
    /// Room for calls, in bytes; longer writes pass through it in pieces.
    static let inputSize = 288 << 10
    /// Room for replies, in bytes.
    static let outputSize = 320 << 10
    /// A client must take and send bytes at least this often while a message is on its way, in seconds.
    static let patience = 30.0
    /// Rounds of calls after which a connection is alone: where several are busy, pieces only make more rounds.
    static let aloneRounds = 4
    /// Replies of a connection that is alone are sent when they have this many bytes, though further calls have come.
    ///
    /// A client that gets them all at once has nothing to do until then, and we have nothing to do while it works on them.
    static let pieceSize = 32 << 10
    /// And when there are this many of them.
    static let pieceCalls = 16
    /// After this many idle seconds the buffers' memory is given back.
    static let idleSeconds = 10.0

    let server: NFSServer
    let handle: ConnectionHandle
    let input: TransferBuffer
    let output: TransferBuffer
    /// Bytes in `input` that are not served yet.
    var have = 0
    /// Where in `input` what comes after the call under way begins.
    var behind = 0
    /// Bytes in `output` that are not sent yet.
    var filled = 0
    /// Whose rights this thread has.
    var thread: ThreadIdentity
    /// Who calls, and what they may use.
    var credentials: CredentialCache
    /// What the replies in `output` promise to be durable.
    var pending: [TreeObject] = []
    /// Replies in `output` to calls that must not be done twice.
    var unsettled: [(key: UInt64, reply: [UInt8])] = []
    /// Whether the reply of the call under way is kept, and so has to be whole in `output`.
    var keepsReply = false
    /// Requests of sessions whose replies in `output` are not durable yet.
    var unsettled4: [NFS4SequenceCall] = []
    /// Memory for the kernel's directory entries.
    var entries: [UInt8] = []
    /// How many rounds of calls have come here without any elsewhere.
    private var alone = 0
    /// The client of version 4.0 that uses this connection, as far as it has said so.
    var sender40 = Sender40()
    /// What an operation of a compound was told about the file that it left to the next one.
    ///
    /// Here and not in the compound, for they are many bytes, and most calls have none.
    var attributes = FileAttributes(stat())
    /// The directories above the exports, as of a revision of these.
    var pseudo: (revision: UInt64, tree: PseudoTree)?

    /// Throws `SystemCallError` or `TreeError` when the kernel has not what it needs.
    init(_ server: NFSServer, _ handle: ConnectionHandle) throws {
        // First what can fail: a value is never half made.
        let input = try TransferBuffer(capacity: Self.inputSize)
        let output = try TransferBuffer(capacity: Self.outputSize)
        let thread = try ThreadIdentity()
        self.server = server
        self.handle = handle
        self.input = input
        self.output = output
        self.thread = thread
        credentials = CredentialCache(server.source, handle.peer)
    }

    /// Serves until the client leaves, vanishes or errs; returns why.
    mutating func run() -> String? {
        handle.socket.setTimeouts(receive: Self.idleSeconds, send: Self.patience)
        // What was done is done: who asks for it again on another connection gets the reply.
        defer { _ = settle() }
        while true {
            if handle.isStopped { return "the server stops" }
            if let why = receive() { return why }
            if let why = serveBuffered() { return why }
        }
    }

    /// Reads what has arrived; the reason when there will be no more.
    mutating func receive() -> String? {
        var silent = 0.0
        while true {
            do throws(SystemCallError) {
                let count = unsafe try handle.socket.receive(into: input.part(have, input.capacity - have))
                guard count > 0 else { return "the client closed the connection" }
                have += count
                return nil
            } catch {
                guard error.number == EAGAIN else { return error.reason }
                silent += Self.idleSeconds
                if have == 0 {
                    waitIdle()
                } else if silent >= Self.patience {
                    server.logOnce(handle.peer, "stops in the middle of a call")
                    return "the client stops in the middle of a call"
                }
            }
        }
    }

    /// Gives the buffers' memory back until something arrives.
    private mutating func waitIdle() {
        input.release()
        output.release()
        entries = []
        var descriptor = pollfd(fd: handle.socket.descriptor.number, events: Int16(POLLIN), revents: 0)
        handle.setIdle(true)
        _ = unsafe poll(&descriptor, 1, -1)
        handle.setIdle(false)
    }

    /// Serves every whole call in the buffer and sends the replies; the reason when the connection is over.
    private mutating func serveBuffered() -> String? {
        var position = 0
        var served = 0
        alone = server.isSameAgain(handle.number) ? min(alone + 1, Self.aloneRounds) : 0
        loop: while true {
            let memory = unsafe input.part(0, have)
            switch unsafe RecordMarking.next(unsafely: memory, position, have, limit: input.capacity - 4) {
            case .incomplete: break loop
            case .refused(let why):
                server.logOnce(handle.peer, why)
                return why
            case .record(let body, let end):
                behind = end
                if let why = serve(body) { return why }
                position = end
                served += 1
                // The client works on these while we go on; what has to be made durable waits, for one sync of all.
                if filled >= Self.pieceSize || served >= Self.pieceCalls, alone == Self.aloneRounds, position < have,
                    pending.isEmpty
                {
                    guard sendOutput() else { return "the client does not take its replies" }
                    served = 0
                }
            case .long(let length):
                dropServed(position)
                position = 0
                if let why = streamWrite(length) { return why }
            }
        }
        guard sendOutput() else { return "the client does not take its replies" }
        dropServed(position)
        return nil
    }

    /// Moves what is not served yet to the front of the buffer.
    mutating func dropServed(_ count: Int) {
        guard count > 0 else { return }
        have -= count
        if have > 0 { unsafe memmove(input.start, input.start + count, have) }
    }

    /// Sends the replies that have gathered, once all that they promise is durable.
    mutating func sendOutput(moreFollows: Bool = false) -> Bool {
        guard settle() else { return false }
        guard filled > 0 else { return true }
        defer { filled = 0 }
        handle.beginSending()
        defer { handle.endSending() }
        do throws(SystemCallError) {
            unsafe try handle.socket.send(
                UnsafeRawBufferPointer(output.part(0, filled)),
                moreFollows: moreFollows
            )
            return true
        } catch {
            if error.number == EAGAIN { server.logOnce(handle.peer, "does not take its replies") }
            return false
        }
    }

    /// Makes durable what the replies in the output promise, and keeps those that may be asked for again.
    private mutating func settle() -> Bool {
        guard syncPending() else {
            server.replies.forget(unsettled.map(\.key))
            unsettled = []
            forgetUnsettled4()
            return false
        }
        if !unsettled.isEmpty {
            server.replies.settle(unsettled)
            unsettled.removeAll(keepingCapacity: true)
        }
        unsettled4.removeAll(keepingCapacity: true)
        return true
    }

    private mutating func forgetUnsettled4() {
        let calls = unsettled4
        unsettled4 = []
        guard !calls.isEmpty else { return }
        server.version4.perform { state, _ in
            for call in calls { state.forgetRequest(call) }
        }
    }

    /// Makes sure that `count` bytes fit behind what is in the output.
    mutating func makeRoom(_ count: Int) -> Bool { filled + count <= output.capacity || sendOutput() }

    /// Makes durable what the replies in the output promise, all at once; false when that fails.
    ///
    /// The replies are not sent then: the client asks again on a new connection, and is told about each failure.
    private mutating func syncPending() -> Bool {
        guard !pending.isEmpty else { return true }
        defer { pending.removeAll(keepingCapacity: true) }
        for object in pending {
            guard let tree = credentials.tree(of: object.handle) else { continue }
            do throws(TreeError) { try tree.sync(object, on: &thread) } catch {
                server.storageFailed(error)
                return false
            }
        }
        return true
    }

    /// Has an object durable before the next replies leave.
    mutating func promise(_ object: TreeObject, _ context: ExportContext) throws {
        guard !context.export.isVolatile else { return }
        if server.isCareful { return try context.tree.sync(object, on: &thread) }
        if !pending.contains(where: { $0 === object }) { pending.append(object) }
    }
}
