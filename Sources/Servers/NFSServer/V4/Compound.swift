import CLinux
import FileTree
import NFS4
import NetworkIO
import ONCRPC
import XDR

/// Where a handle leads.
enum NFS4Target {
    case pseudo(PseudoTree.Directory)
    case file(ExportContext, TreeObject)
}

/// One compound request while it is served.
struct Compound {
    let minor: UInt32
    let principal: NFS4Principal
    /// How many operations it has.
    let operations: Int
    /// Which one is under way.
    var index = 0
    var current: NFS4Target?
    var saved: NFS4Target?
    var currentState: NFS4Stateid?
    /// Whether the conversation's `attributes` are the current file's: the operation just before has asked the kernel.
    var hasAttributes = false
    var savedState: NFS4Stateid?
    /// The client of the session.
    var client: UInt64?
    var sequence: NFS4SequenceCall?
    var granted: NFS4State.SequenceReply?
    /// The operation of an owner that is under way.
    var turn: (owner: UInt64, sequence: UInt32)?
    /// Bytes of a file behind the last operation.
    var tail = ReplyTail.none
    /// Where the RPC head of the reply begins.
    let start: Int
    /// Where the compound's own reply begins.
    var body = 0
    /// The whole request, in bytes, and what stands for it.
    let length: Int
    let print: UInt64

    var isLast: Bool { index == operations - 1 }
    var file: (context: ExportContext, object: TreeObject) {
        get throws {
            switch current {
            case .file(let context, let object): (context, object)
            case .pseudo: throw NFS4Status.notSupported
            case nil: throw NFS4Status.noHandle
            }
        }
    }
}

extension NFS4Operation {
    /// Whether what was learnt of the current file just before is still true behind it.
    ///
    /// Those that learn it themselves set it anew.
    fileprivate var keepsAttributes: Bool { self == .getAttributes || self == .getHandle }
}

/// An operation of an owner came again: what it was answered, status first.
struct NFS4Replay: Error { var reply: [UInt8] }
/// A whole request came again.
private struct NFS4RequestReplay: Error { var reply: [UInt8] }

extension Conversation {
    /// Room that an operation's reply must have, in bytes; listings and reads take what is there.
    static let operationRoom = 6 << 10
    /// Room that a compound's reply must have.
    static let compoundRoom = listingLimit + 16 << 10
    /// The longest WRITE of version 4, in bytes: a compound lies in the buffer as a whole.
    static let writeLimit4 = 256 << 10

    /// One call of NFS version 4.
    mutating func serveNFS4(
        _ call: RPCCall,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter,
        _ record: RawSpan
    ) -> ReplyTail {
        guard call.procedure <= 1 else {
            RPCReply.encodeAccepted(xid: call.xid, status: .procedureUnavailable, into: &writer)
            return .none
        }
        if !handle.isKnown { handle.setKnown() }
        let start = writer.count
        RPCReply.encodeSuccess(xid: call.xid, into: &writer)
        guard call.procedure == 1 else { return .none }
        do {
            return try serveCompound(start, &reader, &writer, record)
        } catch {
            writer.count = start
            RPCReply.encodeAccepted(xid: call.xid, status: .garbageArguments, into: &writer)
            return .none
        }
    }

    private mutating func serveCompound(
        _ start: Int,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter,
        _ record: RawSpan
    ) throws(XDRError) -> ReplyTail {
        let body = writer.count
        let tag = try reader.readOpaque(limit: NFS4.tagLimit)
        writer.write(0 as UInt32)
        writer.writeOpaque(tag)
        let minor = try reader.readUInt32()
        let count = Int(try reader.readUInt32())
        let counted = writer.count
        writer.write(0 as UInt32)
        guard minor <= NFS4.newestMinor else {
            writer.replace(at: body, with: NFS4Status.minorMismatch.rawValue)
            return .none
        }
        guard minor > 0 || count <= NFS4.operationLimit else {
            writer.replace(at: body, with: NFS4Status.resource.rawValue)
            return .none
        }
        var compound = Compound(
            minor: minor,
            principal: credentials.principal,
            operations: count,
            start: start,
            length: record.byteCount,
            print: minor > 0 ? Self.print(record) : 0
        )
        compound.body = body
        var (done, status) = (0, NFS4Status.ok)
        do throws(NFS4RequestReplay) {
            while done < count, status == .ok {
                compound.index = done
                status = try serveOperation(&compound, &reader, &writer)
                done += 1
            }
        } catch {
            writer.count = body
            for byte in stride(from: 0, to: error.reply.count, by: 4) {
                let word = error.reply[byte..<min(byte + 4, error.reply.count)].reduce(0 as UInt32) {
                    $0 << 8 | UInt32($1)
                }
                writer.write(word)
            }
            return .none
        }
        writer.replace(at: body, with: status.rawValue)
        writer.replace(at: counted, with: UInt32(done))
        if let sequence = compound.sequence {
            let keeps = sequence.keepsReply || done == 1
            let reply: [UInt8]? =
                keeps ? unsafe Array(UnsafeRawBufferPointer(output.part(filled + body, writer.count - body))) : nil
            server.version4.endRequest(sequence, reply: reply)
            if !pending.isEmpty { unsettled4.append(sequence) }
        }
        return compound.tail
    }

    private static func print(_ record: RawSpan) -> UInt64 {
        // Behind the number of the call: a client that sends again may take a new one.
        let count = min(record.byteCount, 512)
        guard count > 4 else { return 1 }
        var hash = UInt64(record.byteCount) &* 0x9e37_79b9_7f4a_7c15
        var offset = 4
        while offset + 8 <= count {
            hash =
                (hash ^ (unsafe record.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)))
                &* 0xff51_afd7_ed55_8ccd
            hash ^= hash >> 32
            offset += 8
        }
        return hash | 1
    }

    private mutating func serveOperation(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws(NFS4RequestReplay) -> NFS4Status {
        let start = writer.count
        guard let number = try? reader.readUInt32() else {
            writer.write(NFS4Operation.illegal.rawValue)
            writer.write(NFS4Status.badXDR.rawValue)
            return .badXDR
        }
        let operation = NFS4Operation(rawValue: number)
        let isKnown = operation.exists(inMinor: compound.minor)
        writer.write(isKnown ? number : NFS4Operation.illegal.rawValue)
        writer.write(NFS4Status.ok.rawValue)
        var status = NFS4Status.ok
        var failure: (any Error)?
        do {
            guard isKnown else { throw NFS4Status.illegalOperation }
            try allow(operation, compound)
            guard writer.room >= Self.operationRoom else {
                throw compound.minor == 0 ? NFS4Status.resource : NFS4Status.repTooBig
            }
            if !operation.keepsAttributes { compound.hasAttributes = false }
            try perform(operation, &compound, &reader, &writer)
            if writer.overflowed { throw NFS4Status.resource }
            try checkSize(compound, writer.count)
        } catch let replay as NFS4RequestReplay {
            throw replay
        } catch {
            failure = error
            status = NFS4Status(error)
        }
        if let failure {
            compound.tail = .none
            writer.overflowed = false
            writer.count = start + 4
            if let replay = failure as? NFS4Replay {
                status = writeReplay(replay.reply, operation, &compound, &writer)
            } else {
                writer.write(status.rawValue)
                writeFailure(operation, failure, &writer)
            }
        }
        if let turn = compound.turn {
            endTurn(turn, status, start + 4, operation, compound, writer.count)
            compound.turn = nil
        }
        return status
    }

    /// Whether an operation may stand where it stands (RFC 8881, section 2.10.6.1 and 18.46.3).
    private func allow(_ operation: NFS4Operation, _ compound: Compound) throws(NFS4Status) {
        guard compound.minor > 0 else { return }
        let isAlone: Bool
        switch operation {
        case .exchangeID, .createSession, .destroySession, .bindConnection, .destroyClientID: isAlone = true
        default: isAlone = false
        }
        if compound.index == 0 {
            if operation == .sequence { return }
            guard isAlone else { throw .opNotInSession }
            guard compound.operations == 1 else { throw .notOnlyOp }
        } else if operation == .sequence {
            throw .sequencePosition
        }
        // In a session these work too, but for what would take the ground from under their own feet.
        if compound.sequence != nil, operation == .bindConnection { throw .notOnlyOp }
    }

    private func checkSize(_ compound: Compound, _ count: Int) throws(NFS4Status) {
        guard let granted = compound.granted, let sequence = compound.sequence else { return }
        var size = count - compound.start
        if case .file(_, _, let bytes) = compound.tail { size += bytes }
        if size > Int(granted.replyLimit) { throw .repTooBig }
        if sequence.keepsReply, size > Int(granted.cachedLimit) { throw .repTooBigToCache }
    }

    /// What must follow a status that is not OK.
    private func writeFailure(_ operation: NFS4Operation, _ failure: any Error, _ writer: inout XDRWriter) {
        switch operation {
        case .setAttributes: NFS4Bitmap(low: 0, high: 0).encode(into: &writer)
        case .lock, .lockTest:
            guard let denied = failure as? NFS4Denied else { return }
            writer.write(denied.conflict.offset)
            writer.write(denied.conflict.length)
            writer.write(denied.conflict.isWrite ? 2 : 1 as UInt32)
            writer.write(denied.conflict.client)
            writer.writeOpaque(denied.conflict.owner)
        case .setClientID:
            guard let used = failure as? NFS4InUse else { return }
            writer.writeOpaque(used.network)
            writer.writeOpaque(used.address)
        default: break
        }
    }

    private mutating func endTurn(
        _ turn: (owner: UInt64, sequence: UInt32),
        _ status: NFS4Status,
        _ start: Int,
        _ operation: NFS4Operation,
        _ compound: Compound,
        _ end: Int
    ) {
        var reply = unsafe Array(UnsafeRawBufferPointer(output.part(filled + start, end - start)))
        if operation == .open, status == .ok, case .file(_, let object) = compound.current {
            // The handle that a repeated OPEN must lead to lies behind the answer.
            let handle = NFS4FileHandle(object.handle).bytes
            reply += handle + [UInt8](repeating: 0, count: NFS4FileHandle.ownLimit - handle.count)
            reply.append(UInt8(handle.count))
        }
        let kept = reply
        server.version4.perform { state, _ in
            state.endTurn(turn.owner, turn.sequence, status, reply: kept)
        }
    }

    private mutating func writeReplay(
        _ reply: [UInt8],
        _ operation: NFS4Operation,
        _ compound: inout Compound,
        _ writer: inout XDRWriter
    ) -> NFS4Status {
        var reply = reply
        let status = NFS4Status(rawValue: reply.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
        if operation == .open, status == .ok, reply.count > NFS4FileHandle.ownLimit, let length = reply.popLast() {
            let bytes = Array(reply.suffix(NFS4FileHandle.ownLimit).prefix(Int(length)))
            reply.removeLast(NFS4FileHandle.ownLimit)
            if let handle = ownHandle(bytes), let target = try? target(handle) { compound.current = target }
        }
        unsafe reply.withUnsafeBytes { unsafe writer.writeFixedOpaque(RawSpan(_unsafeBytes: $0)) }
        return status
    }

    private func ownHandle(_ bytes: [UInt8]) -> NFS4FileHandle? {
        var words: [8 of UInt64] = InlineArray(repeating: 0)
        guard bytes.count <= NFS4FileHandle.ownLimit else { return nil }
        unsafe withUnsafeMutableBytes(of: &words) { unsafe $0.copyBytes(from: bytes) }
        return NFS4FileHandle(words: words, count: bytes.count)
    }

    /// SEQUENCE: the head of every request in a session.
    mutating func sequence(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let call = try NFS4SequenceCall(decoding: &reader)
        guard compound.operations <= NFS4.operationLimit else { throw NFS4Status.tooManyOps }
        let (connection, length, operations, print) = (
            handle.number, compound.length, compound.operations, compound.print
        )
        let outcome = server.version4.perform { state, now in
            state.beginRequest(
                call,
                connection: connection,
                length: length,
                operations: operations,
                print: print,
                now: now
            )
        }
        switch outcome {
        case .refused(let status): throw status
        case .replay(let reply): throw NFS4RequestReplay(reply: reply)
        case .go(let granted):
            compound.sequence = call
            compound.granted = granted
            compound.client = granted.client
            call.session.encode(into: &writer)
            writer.write(call.sequence)
            writer.write(call.slot)
            writer.write(granted.highestSlot)
            writer.write(granted.highestSlot)
            writer.write(granted.flags)
        }
    }
}
