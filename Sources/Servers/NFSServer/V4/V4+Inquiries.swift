import CLinux
import FileTree
import NFS4
import NetworkIO
import ONCRPC
import XDR

extension Conversation {
    /// Asks who holds a write delegation of the current file what it is like; nil where nobody had to be asked.
    ///
    /// Waits for the answer as long as a holder may take (`NFS4Limits.answer`), then throws DELAY, as when the delegation must
    /// be given back first.
    mutating func askHolder(_ compound: Compound, _ wanted: NFS4Bitmap) throws -> NFS4Knowledge? {
        guard server.version4.hasDelegations, !wanted.intersection(.changing).isEmpty,
            case .file(_, let object) = compound.current
        else { return nil }
        let (service, client, key) = (server.version4, sender(compound), NFS4FileKey(object.handle))
        var knowledge = service.perform { state, now in state.ask(key, for: client, now: now) }
        switch knowledge {
        case .own: return nil
        case .recalled: throw NFS4Status.delay
        case .held: return knowledge
        case .asked(let first):
            let bell = try AnswerBell()
            server.callbacks.add(bell)
            defer { server.callbacks.remove(bell) }
            var seen = behind
            var isOpen = true
            // It may have answered before the bell was there.
            knowledge = service.perform { state, now in state.outcome(of: first, for: client, now: now) }
            // A second holder is asked when the first has gone meanwhile, no third one.
            let end = first.deadline + service.answerLimit
            while case .asked(let inquiry) = knowledge {
                let now = NFS4Service.now
                guard now < end else { throw NFS4Status.delay }
                let room = input.capacity - have
                let socket = isOpen && room > 0 ? handle.socket.descriptor.number : nil
                let left = inquiry.deadline > now ? inquiry.deadline - now : 0
                if bell.wait(or: socket, milliseconds: left + 1) { isOpen = takeAnswers(&seen) }
                knowledge = service.perform { state, now in state.outcome(of: inquiry, for: client, now: now) }
            }
        }
        if knowledge == .recalled { throw NFS4Status.delay }
        return knowledge
    }

    /// Reads on while a call is under way, and takes the answers to calls of ours: who is asked may answer on this connection.
    ///
    /// Calls stay in the buffer for later. Whether there can be more.
    private mutating func takeAnswers(_ seen: inout Int) -> Bool {
        do throws(SystemCallError) {
            let count = unsafe try handle.socket.receive(into: input.part(have, input.capacity - have))
            guard count > 0 else { return false }
            have += count
        } catch {
            return error.number == EAGAIN
        }
        while true {
            let step = unsafe RecordMarking.next(unsafely: input.part(0, have), seen, have, limit: input.capacity - 4)
            guard case .record(let body, let end) = step else { return true }
            let record = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(input.part(body.lowerBound, body.count)))
            if Self.isAnswer(record) { server.callbacks.answered(handle.number, record) }
            seen = end
        }
    }

    /// Whether a record answers a call of ours.
    static func isAnswer(_ record: RawSpan) -> Bool {
        record.byteCount >= 8 && (unsafe record.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt32.self).bigEndian) == 1
    }

    /// The attributes of a file with a write delegation, as its holder has it (RFC 8881, section 10.4.3).
    mutating func merged(
        _ held: NFS4HeldAttributes,
        given: UInt64,
        _ context: ExportContext,
        _ object: TreeObject
    ) throws -> NFS4Attributes {
        var own = NFS4Attributes(try attributes4(object), object, context)
        let isModified = held.isModified(since: given, own)
        let now = Self.currentTime
        if isModified {
            // The file is marked as changed at the server too, so that no time and number goes back when the holder is lost.
            var times = NewAttributes()
            let modified = held.modified(after: own.modified, now: now)
            times.modified = modified.map { .given(FileTime($0)) } ?? .now
            object.lockChanges()
            defer { object.unlockChanges() }
            try? context.tree.set(times, of: object, as: .root, on: &thread)
            own = NFS4Attributes(try attributes4(object), object, context)
            own.size = held.size
        }
        let (key, change) = (NFS4FileKey(object.handle), own.change)
        own.change = server.version4.perform { state, _ in state.changeToTell(key, own: change, isModified: isModified)
        }
        // A change of this time alone is none of the file: it is told, and not kept.
        if let accessed = held.accessed, accessed > own.accessed { own.accessed = min(accessed, now) }
        return own
    }

    /// Sets the times that the holder of a delegation has kept (RFC 9754, section 5): none that goes back, none after now.
    ///
    /// Last reading alone is not kept: that would be told as a change of the file.
    mutating func setDelegatedTimes(
        _ new: NFS4NewAttributes,
        _ stateid: NFS4Stateid,
        _ client: UInt64?,
        _ object: TreeObject,
        _ context: ExportContext
    ) throws {
        let key = NFS4FileKey(object.handle)
        let status = server.version4.perform { state, _ in state.keepsTimes(stateid, key, client: client) }
        guard status == .ok else { throw status }
        let own = NFS4Attributes(try attributes4(object), object, context)
        let now = Self.currentTime
        guard let modified = new.delegatedModify.map({ min($0, now) }), modified > own.modified else { return }
        var times = NewAttributes()
        times.modified = .given(FileTime(modified))
        if let accessed = new.delegatedAccess.map({ min($0, now) }), accessed > own.accessed {
            times.accessed = .given(FileTime(accessed))
        }
        // Its holder may write the file, which need not be its own.
        try context.tree.set(times, of: object, as: .root, on: &thread)
    }

    static var currentTime: NFS4Time {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return NFS4Time(time)
    }
}

extension FileTime {
    init(_ time: NFS4Time) { self.init(seconds: Int(time.seconds), nanoseconds: Int(time.nanoseconds)) }
}
