import FileTree
import NFS3
import NFS4
import NetworkIO
import NetworkTypes
import ONCRPC
import XDR

/// How a reply goes on behind what was written.
enum ReplyTail {
    /// It is whole.
    case none
    /// Bytes of a file follow, and the padding.
    case file(TreeDescriptor, offset: UInt64, count: Int)
}

/// What doing a call twice could do.
enum Repetition {
    /// Nothing.
    case harmless
    /// Harm, when the client has lost a connection.
    case once
    /// Harm, also when the server was killed and started again.
    case lasting
}

// One program and version is one function that takes a procedure's number; a further version joins here.
extension Conversation {
    /// Serves one call; the reason when the connection is over.
    mutating func serve(_ body: Range<Int>) -> String? {
        let record = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(input.part(body.lowerBound, body.count)))
        var reader = XDRReader(record)
        // An answer to a call of ours.
        if Self.isAnswer(record) {
            server.callbacks.answered(handle.number, record)
            return nil
        }
        let call: RPCCall
        do throws(RPCCallError) { call = try RPCCall(decoding: &reader) } catch {
            return refuse(error)
        }
        guard makeRoom(Self.replySize(call)) else { return "the client does not take its replies" }
        let repetition = repetition(call, record.extracting(reader.offset..<record.byteCount))
        guard repetition != .harmless else { return serve(call, &reader, record) }
        // The record begins with the number of the call; the port may be another one after a reconnection.
        let key = server.replies.key(
            unsafe record.withUnsafeBytes { unsafe Array($0) } + handle.peer.address.bytes
        )
        switch server.replies.begin(key, isLasting: repetition == .lasting) {
        case .known(let reply):
            unsafe output.part(filled, reply.count).copyBytes(from: reply)
            filled += reply.count
            return nil
        // The client asks again when it has waited long enough.
        case .underWay: return nil
        case .new(let mayBeDone): thread.mayBeDone = mayBeDone
        }
        keepsReply = true
        defer { (thread.mayBeDone, keepsReply) = (false, false) }
        let start = filled
        let why = serve(call, &reader, record)
        // Of clients that change and read in one request: they are served again when they ask again.
        guard filled - start <= ReplyCache.replyLimit else {
            server.replies.forget([key])
            return why
        }
        let reply = unsafe Array(UnsafeRawBufferPointer(output.part(start, filled - start)))
        // At once: who is killed before all is on the disk, and the reply sent, is asked again.
        if repetition == .lasting { server.replies.done(key, reply) }
        unsettled.append((key, reply))
        return why
    }

    private func repetition(_ call: RPCCall, _ arguments: RawSpan) -> Repetition {
        guard call.program == NFS3.program else { return .harmless }
        if call.version == NFS4.version { return call.procedure == 1 ? Self.repetition4(arguments) : .harmless }
        guard call.version == NFS3.version, let procedure = NFS3Procedure(rawValue: call.procedure), procedure.isChange
        else { return .harmless }
        return switch procedure {
        case .write, .commit: .harmless
        case .setAttributes: .once
        default: .lasting
        }
    }

    /// Serves a call for whose reply there is room.
    private mutating func serve(_ call: RPCCall, _ reader: inout XDRReader, _ record: RawSpan) -> String? {
        var writer = unsafe XDRWriter(unsafely: output.part(filled, output.capacity - filled), behind: 4)
        guard credentials.use(call.flavor, record.extracting(call.credential)) else {
            RPCReply.encodeAuthError(xid: call.xid, .badCredential, into: &writer)
            finish(&writer)
            return nil
        }
        let tail = dispatch(call, &reader, &writer, record)
        guard !writer.overflowed else { return "a reply is longer than its room" }
        guard case .file(let file, let offset, let count) = tail else {
            finish(&writer)
            return nil
        }
        return finish(&writer, file, offset, count) ? nil : "the client does not take its replies"
    }

    /// Room that the reply may take, in bytes.
    private static func replySize(_ call: RPCCall) -> Int {
        guard call.program == NFS3.program else { return listingLimit + 1024 }
        if call.version == NFS4.version { return compoundRoom }
        return switch NFS3Procedure(rawValue: call.procedure) {
        case .read: directLength + 1024
        case .readDirectory, .readDirectoryPlus: listingLimit + 1024
        case .readLink: NFS3.pathLimit + 1024
        default: 1024
        }
    }

    private mutating func refuse(_ error: RPCCallError) -> String? {
        guard makeRoom(1024) else { return "the client does not take its replies" }
        var writer = unsafe XDRWriter(unsafely: output.part(filled, output.capacity - filled), behind: 4)
        switch error {
        case .noCall:
            server.logOnce(handle.peer, "sends something that is not a call")
            return "the client sends something that is not a call"
        case .wrongProtocolVersion(let xid): RPCReply.encodeProtocolMismatch(xid: xid, into: &writer)
        case .badAuth(let xid): RPCReply.encodeAuthError(xid: xid, .badCredential, into: &writer)
        }
        finish(&writer)
        return nil
    }

    private mutating func dispatch(
        _ call: RPCCall,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter,
        _ record: RawSpan
    ) -> ReplyTail {
        switch call.program {
        case NFS4.program where call.version == NFS4.version:
            return serveNFS4(call, &reader, &writer, record)
        case NFS3.program:
            guard call.version == NFS3.version else {
                RPCReply.encodeVersionMismatch(xid: call.xid, NFS3.version...NFS4.version, into: &writer)
                return .none
            }
            return serveNFS3(call, &reader, &writer)
        case Mount3.program:
            guard call.version == Mount3.version else {
                RPCReply.encodeVersionMismatch(xid: call.xid, Mount3.version...Mount3.version, into: &writer)
                return .none
            }
            serveMount3(call, &reader, &writer)
            return .none
        default:
            RPCReply.encodeAccepted(xid: call.xid, status: .programUnavailable, into: &writer)
            return .none
        }
    }

    /// Counts a whole reply in.
    private mutating func finish(_ writer: inout XDRWriter) {
        let count = writer.count
        writer.replace(at: 0, with: RecordMarking.mark(length: count - 4))
        filled += count
    }

    /// Sends all replies up to this one, then its bytes of a file, which are not copied here.
    private mutating func finish(
        _ writer: inout XDRWriter,
        _ file: TreeDescriptor,
        _ offset: UInt64,
        _ count: Int
    ) -> Bool {
        let head = writer.count
        let padding = xdrPadding(count)
        writer.replace(at: 0, with: RecordMarking.mark(length: head - 4 + count + padding))
        filled += head
        // No call to the client may come between the head, the bytes and the padding.
        handle.beginSending()
        defer { handle.endSending() }
        guard sendOutput(moreFollows: true) else { return false }
        guard sendFile(file, offset, count) else { return false }
        guard padding > 0 else { return true }
        for index in 0..<padding { unsafe output.part(index, 1)[0] = 0 }
        filled = padding
        return sendOutput()
    }
}
