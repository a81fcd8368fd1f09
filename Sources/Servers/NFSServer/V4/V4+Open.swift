import CLinux
import FileTree
import NFS4
import XDR

extension Conversation {
    mutating func open4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let call = try NFS4OpenCall(decoding: &reader, minor: compound.minor)
        let client: UInt64
        if let session = compound.client {
            client = session
        } else {
            client = call.client
            try takeTurn(&compound, call.sequence) { state, now in
                state.beginOpen(call.client, call.owner, call.sequence, now: now)
            }
        }
        if let refusal = call.refusal { throw refusal }
        // Above the two bits of access there are wishes for delegations (RFC 8881, section 18.16.3).
        let access = call.access & 0x3
        let wishes = call.access & ~0x3
        guard access != 0, call.deny <= 3, compound.minor > 0 || wishes == 0, wishes & ~Self.wishes == 0,
            let wish = NFS4DelegationWish(access: wishes)
        else { throw NFS4Status.invalid }
        guard compound.current != nil else { throw NFS4Status.noHandle }
        var reclaims = false
        if case .previous = call.claim { reclaims = true }
        let may = server.version4.perform { state, _ in state.mayOpen(client, reclaims: reclaims) }
        guard may == .ok else { throw may }
        if compound.minor == 0 { noteSender(client) }
        var found = try findToOpen(call, &compound)
        guard found.context.export.isWritable || access & 2 == 0 else { throw NFS4Status.readOnly }
        let (context, object) = (found.context, found.object)
        let key = NFS4FileKey(object.handle)
        var request = NFS4OpenRequest(client: client, owner: call.owner, file: key, access: access, deny: call.deny)
        request.reclaims = reclaims
        if case .previous(let delegation) = call.claim { request.reclaimedDelegation = delegation }
        switch call.claim {
        case .delegatedName(let stateid, _), .delegatedCurrent(let stateid):
            let status = server.version4.perform { state, _ in state.isDelegation(stateid, key, client: client) }
            guard status == .ok else { throw status }
            request.ownsDelegation = true
        default: break
        }
        request.wish = wish
        request.wouldKeepTimes = wishes & NFS4DelegationWish.times != 0
        request.mayDelegate = context.export.hasDelegations
        let kept = server.version4.perform { state, _ in
            state.attachment(client: client, owner: call.owner, file: key)
        }
        let open = kept as? OpenFile ?? OpenFile(object, user: context.caller.user)
        try openFiles(open, access, found, reclaims: reclaims)
        let prepared = request
        let status = server.version4.perform { state, now in
            state.prepare(prepared, truncates: found.cut != nil, now: now)
        }
        guard status == .ok else { throw status }
        request.attachment = open
        request.handle = NFS4FileHandle(object.handle).bytes
        if let size = found.cut {
            try cut(object, to: size, open, context)
            found.attributes.insert(.size)
        }
        if access & 2 != 0, request.mayDelegate, wish != .none {
            // Who writes alone may get a delegation: later it is asked for the number of its last change.
            attributes = try attributes4(object)
            request.change = attributes.change
            compound.hasAttributes = true
        }
        let final = request
        let opened = try server.version4.perform { state, now in state.open(final, now: now) }.get()
        compound.current = .file(context, object)
        compound.currentState = opened.stateid
        opened.stateid.encode(into: &writer)
        writer.write(true)
        writer.write(found.before)
        writer.write(found.after)
        // OPEN4_RESULT_CONFIRM, OPEN4_RESULT_LOCKTYPE_POSIX, OPEN4_RESULT_MAY_NOTIFY_LOCK
        writer.write((opened.needsConfirmation ? 0x2 : 0) | 0x4 | (opened.tellsOfLocks ? 0x20 : 0) as UInt32)
        found.attributes.encode(into: &writer)
        if let grant = opened.delegation {
            Self.encode(grant, mayCloseUnwritten: context.export.isForOneClient, into: &writer)
        } else {
            Self.encode(opened.refusal, isExplained: wishes & NFS4DelegationWish.mask != 0, into: &writer)
        }
    }

    /// What may be asked for beside reading and writing.
    private static var wishes: UInt32 { NFS4DelegationWish.mask | NFS4DelegationWish.later | NFS4DelegationWish.times }

    /// Takes the turn of an owner in version 4.0.
    func takeTurn(
        _ compound: inout Compound,
        _ sequence: UInt32,
        _ begin: (inout NFS4State, UInt64) -> NFS4State.Turn
    ) throws {
        switch server.version4.perform(begin) {
        case .go(let owner): compound.turn = (owner, sequence)
        case .replay(let reply): throw NFS4Replay(reply: reply)
        case .refused(let status): throw status
        }
    }

    /// A file that an OPEN found or made.
    private struct FoundFile {
        var context: ExportContext
        var object: TreeObject
        /// Of the directory, before and after.
        var before: UInt64 = 0
        var after: UInt64 = 0
        var isNew = false
        /// Whether the file was named by its handle.
        var isCurrent = false
        /// To what size it is to be cut.
        var cut: UInt64?
        /// What was set.
        var attributes = NFS4Bitmap(low: 0, high: 0)
    }

    private mutating func findToOpen(_ call: NFS4OpenCall, _ compound: inout Compound) throws -> FoundFile {
        let bytes: [UInt8]
        switch call.claim {
        case .name(let name), .delegatedName(_, let name): bytes = name
        case .previous, .current, .delegatedCurrent:
            let (context, object) = try Self.openable(compound)
            var found = FoundFile(context: context, object: object, isCurrent: true)
            if case .unchecked(let new) = call.how { found.cut = new.size == 0 ? 0 : nil }
            return found
        default: throw NFS4Status.notSupported
        }
        if case .pseudo(let directory) = compound.current {
            _ = try Self.name4(bytes)
            guard directory.children.contains(where: { $0.name == bytes }) else {
                throw call.how == .existing ? NFS4Status.noEntry : NFS4Status.readOnly
            }
            throw NFS4Status.isDirectory
        }
        let (context, directory) = try Self.directory4(compound)
        let name = try Self.name4(bytes)
        guard call.how != .existing else {
            let (object, _) = try context.tree.lookup(name, in: directory, as: context.caller, on: &thread)
            try Self.checkKind(object, compound.minor)
            let change = try directory.attributes().change
            return FoundFile(context: context, object: object, before: change, after: change)
        }
        guard context.export.isWritable else { throw NFS4Status.readOnly }
        directory.lockChanges()
        defer { directory.unlockChanges() }
        let before = try directory.attributes().change
        var found = try make(call.how, name, context, directory, compound.minor)
        found.before = before
        found.after = try directory.attributes().change
        return found
    }

    /// The current file, when it can be opened.
    private static func openable(_ compound: Compound) throws -> (context: ExportContext, object: TreeObject) {
        switch compound.current {
        case nil: throw NFS4Status.noHandle
        case .pseudo: throw NFS4Status.isDirectory
        case .file(let context, let object):
            try checkKind(object, compound.minor)
            return (context, object)
        }
    }

    private static func checkKind(_ object: TreeObject, _ minor: UInt32) throws {
        switch object.kind {
        case .regular: return
        case .directory: throw NFS4Status.isDirectory
        case .symbolicLink: throw NFS4Status.symbolicLink
        default: throw minor == 0 ? NFS4Status.symbolicLink : NFS4Status.wrongType
        }
    }

    /// Makes a file, or finds the one that is there where that is allowed.
    private mutating func make(
        _ how: NFS4OpenCall.How,
        _ name: FileName,
        _ context: ExportContext,
        _ directory: TreeObject,
        _ minor: UInt32
    ) throws -> FoundFile {
        let (tree, caller) = (context.tree, context.caller)
        var verifier: UInt64?
        let new: NFS4NewAttributes
        switch how {
        case .existing: throw NFS4Status.serverFault
        case .unchecked(let attributes), .guarded(let attributes):
            guard attributes.bitmap.intersection(.delegatedTimes).isEmpty else { throw NFS4Status.invalid }
            new = attributes
        case .exclusive(let value): (verifier, new) = (value, NFS4NewAttributes())
        case .exclusiveWith(let value, let attributes):
            guard attributes.bitmap.subtracting(.exclusive(inMinor: minor)).isEmpty else { throw NFS4Status.invalid }
            (verifier, new) = (value, attributes)
        }
        try Self.mayHave(new, context)
        let attributes = NewAttributes(new)
        // 31 bits each: what every file system can keep in the times of a file.
        let first = Int((verifier ?? 0) >> 32 & 0x7fff_ffff)
        let second = Int((verifier ?? 0) & 0x7fff_ffff)
        do throws(TreeError) {
            let mode = attributes.mode ?? (verifier == nil ? 0o644 : 0)
            thread.mask = new.umask ?? 0
            defer { thread.mask = 0 }
            let object = try tree.createFile(name, mode: mode, in: directory, as: caller, on: &thread)
            var found = FoundFile(context: context, object: object, isNew: true)
            found.attributes = new.bitmap
            do {
                try promise(directory, context)
                var isChanged = try Self.setRest(attributes, of: object, tree, caller, &thread)
                if let list = new.accessList {
                    try setAccessList(list, of: object, context)
                    isChanged = true
                }
                if verifier != nil {
                    var times = NewAttributes()
                    times.accessed = .given(FileTime(seconds: first, nanoseconds: 0))
                    times.modified = .given(FileTime(seconds: second, nanoseconds: 0))
                    try tree.set(times, of: object, as: caller, on: &thread)
                    found.attributes.insert(.accessedSet)
                    found.attributes.insert(.modifiedSet)
                    isChanged = true
                }
                if isChanged { try promise(object, context) }
            } catch {
                throw (error as? TreeError) ?? TreeError(EIO)
            }
            return found
        } catch {
            guard error.number == EEXIST else { throw error }
        }
        let (object, status) = try tree.lookup(name, in: directory, as: caller, on: &thread)
        var found = FoundFile(context: context, object: object)
        switch how {
        case .unchecked:
            guard object.kind == .regular else {
                throw object.kind == .directory
                    ? NFS4Status.isDirectory
                    : object.kind == .symbolicLink || minor == 0
                        ? NFS4Status.symbolicLink : NFS4Status.wrongType
            }
            // Of a file that is there, only its size is taken (RFC 8881, section 18.16.3).
            if new.size == 0 { found.cut = 0 }
        case .exclusive, .exclusiveWith:
            guard object.kind == .regular, status.size == 0, status.status.st_atim.tv_sec == first,
                status.status.st_mtim.tv_sec == second
            else { throw NFS4Status.exists }
            found.isNew = true
            found.attributes = new.bitmap
            found.attributes.insert(.accessedSet)
            found.attributes.insert(.modifiedSet)
        default: throw NFS4Status.exists
        }
        return found
    }

    /// Opens what is asked for as the caller, which is the check of its rights, and keeps what was not open yet.
    private mutating func openFiles(
        _ open: OpenFile,
        _ access: UInt32,
        _ found: FoundFile,
        reclaims: Bool
    ) throws {
        let (tree, caller, object) = (found.context.tree, found.context.caller, found.object)
        let attributes = try attributes4(object)
        // The tree lets owners read and write whatever the mode says, as version 3 must; here only who opens what is
        // its own current file, or has just made it, has that right.
        if attributes.status.st_uid == caller.user, caller.user != 0, !found.isNew, !found.isCurrent, !reclaims {
            let missing: UInt32 = (access & 1 != 0 ? 0o400 : 0) | (access & 2 != 0 ? 0o200 : 0)
            if attributes.mode & missing != missing {
                let wanted = (access & 1 != 0 ? R_OK : 0) | (access & 2 != 0 ? W_OK : 0)
                let granted = try tree.access(object, wanted, attributes, as: caller, on: &thread)
                let runs = access == 1 ? try tree.access(object, X_OK, attributes, as: caller, on: &thread) : 0
                guard granted == wanted || runs == X_OK else { throw NFS4Status.accessDenied }
            }
        }
        // Also who has it open already asks again; what was opened under other rights does not answer that.
        if access & 1 != 0 {
            _ = tree.isOutdated(object, attributes)
            let reader = try tree.reader(of: object, as: caller, on: &thread)
            if open.reader == nil { open.set(reader: reader) }
        }
        if access & 2 != 0 {
            let writer = try tree.writer(of: object, as: caller, attributes, on: &thread)
            if open.writer == nil { open.set(writer: writer) }
        }
    }

    private mutating func cut(_ object: TreeObject, to size: UInt64, _ open: OpenFile, _ context: ExportContext) throws
    {
        object.lockChanges()
        defer { object.unlockChanges() }
        if let writer = open.writer, let length = off_t(exactly: size) {
            try thread.become(context.caller)
            guard ftruncate(writer.number, length) == 0 else { throw TreeError() }
        } else {
            guard context.export.isWritable else { throw NFS4Status.readOnly }
            var new = NewAttributes()
            new.size = size
            try context.tree.set(new, of: object, as: context.caller, on: &thread)
        }
        try promise(object, context)
    }

    /// No delegation; with its reason where the client said what it would like (RFC 8881, section 18.16.3).
    private static func encode(_ refusal: NFS4NoDelegation?, isExplained: Bool, into writer: inout XDRWriter) {
        guard isExplained, let refusal else { return writer.write(0 as UInt32) }
        writer.write(3 as UInt32)
        writer.write(refusal.rawValue)
        // Nothing is pushed or signalled later.
        if refusal.saysLater { writer.write(false) }
    }

    private static func encode(_ grant: NFS4Grant, mayCloseUnwritten: Bool, into writer: inout XDRWriter) {
        // OPEN_DELEGATE_READ and _WRITE, or those with _ATTRS_DELEG (RFC 9754, section 5).
        writer.write((grant.isWrite ? 2 : 1) + (grant.keepsTimes ? 3 : 0) as UInt32)
        grant.stateid.encode(into: &writer)
        writer.write(grant.isRecalled)
        if grant.isWrite {
            // NFS_LIMIT_SIZE: how large the file may be for a CLOSE that does not wait for what is still to be written (RFC 8881,
            // section 10.4.1). Linux gives a delegation back without writing that first: who then reads a file that was
            // closed would see half of it.
            writer.write(1 as UInt32)
            writer.write(mayCloseUnwritten ? UInt64.max : 0)
        }
        // Nobody is let in without asking the server.
        writer.writeZeros(3)
        writer.writeOpaque([])
    }

    mutating func openDowngrade(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let stateid = try NFS4Stateid(decoding: &reader)
        let sequence = try reader.readUInt32()
        let access = try reader.readUInt32() & ~(compound.minor > 0 ? Self.wishes : 0)
        let deny = try reader.readUInt32()
        let key = NFS4FileKey(try compound.file.object.handle)
        let client = compound.client
        if client == nil {
            try takeTurn(&compound, sequence) { state, now in state.beginTurn(stateid, sequence, now: now) }
        }
        let actual = try Self.resolved(stateid, compound)
        let result = try server.version4.perform { state, _ in
            state.downgrade(actual, key, access: access, deny: deny, client: client)
        }.get()
        compound.currentState = result
        result.encode(into: &writer)
    }

    mutating func openConfirm(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let stateid = try NFS4Stateid(decoding: &reader)
        let sequence = try reader.readUInt32()
        guard compound.minor == 0 else { throw NFS4Status.notSupported }
        let key = NFS4FileKey(try compound.file.object.handle)
        try takeTurn(&compound, sequence) { state, now in state.beginTurn(stateid, sequence, now: now) }
        let result = try server.version4.perform { state, _ in state.confirmOpen(stateid, key) }.get()
        result.encode(into: &writer)
    }

    mutating func close4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let sequence = try reader.readUInt32()
        let stateid = try NFS4Stateid(decoding: &reader)
        let key = NFS4FileKey(try compound.file.object.handle)
        let client = compound.client
        if client == nil {
            try takeTurn(&compound, sequence) { state, now in state.beginTurn(stateid, sequence, now: now) }
        }
        let actual = try Self.resolved(stateid, compound)
        let result = try server.version4.perform { state, _ in
            state.close(actual, key, client: client, sequence: sequence)
        }.get()
        compound.currentState = nil
        result.encode(into: &writer)
    }

    mutating func delegationReturn(_ compound: inout Compound, _ reader: inout XDRReader) throws {
        let stateid = try NFS4Stateid(decoding: &reader)
        let key = NFS4FileKey(try compound.file.object.handle)
        let client = compound.client
        let actual = try Self.resolved(stateid, compound)
        let status = server.version4.perform { state, _ in state.giveBack(actual, key, client: client) }
        guard status == .ok else { throw status }
    }
}
