import CLinux
import FileTree
import NFS4
import XDR

extension Conversation {
    /// The stateid of an operation: that of an earlier operation of the compound where it says so.
    static func resolved(_ stateid: NFS4Stateid, _ compound: Compound) throws(NFS4Status) -> NFS4Stateid {
        guard compound.minor > 0, stateid == .current else { return stateid }
        guard let current = compound.currentState else { throw .badStateid }
        return current
    }

    /// Whether bytes of a file may be read or written with a state, and what is attached to it.
    func usable(
        _ stateid: NFS4Stateid,
        _ compound: Compound,
        _ object: TreeObject,
        writes: Bool
    ) throws -> NFS4State.Access {
        let stateid = try Self.resolved(stateid, compound)
        let key = NFS4FileKey(object.handle)
        let client = compound.client
        return try server.version4.perform { state, now in
            state.access(stateid, key, writes: writes, client: client, now: now)
        }.get()
    }

    /// The current file for READ and WRITE.
    static func regular(_ compound: Compound) throws -> (context: ExportContext, object: TreeObject) {
        switch compound.current {
        case nil: throw NFS4Status.noHandle
        case .pseudo: throw NFS4Status.isDirectory
        case .file(let context, let object):
            switch object.kind {
            case .regular: return (context, object)
            case .directory: throw NFS4Status.isDirectory
            case .symbolicLink: throw compound.minor == 0 ? NFS4Status.invalid : NFS4Status.symbolicLink
            default: throw compound.minor == 0 ? NFS4Status.invalid : NFS4Status.wrongType
            }
        }
    }

    /// The file that a stateid has open, or opened as its rights are now: without an OPEN nothing else asks for them.
    mutating func readable(
        _ stateid: NFS4Stateid,
        _ compound: Compound,
        _ context: ExportContext,
        _ object: TreeObject
    ) throws -> TreeDescriptor {
        let access = try usable(stateid, compound, object, writes: false)
        if let open = access.attachment as? OpenFile, let reader = open.reader(for: context.caller) { return reader }
        let file = try context.tree.reader(of: object, as: context.caller, on: &thread)
        guard context.tree.isOutdated(object, try FileAttributes.of(file)) else { return file }
        return try context.tree.reader(of: object, as: context.caller, on: &thread)
    }

    mutating func read4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let stateid = try NFS4Stateid(decoding: &reader)
        let offset = try reader.readUInt64()
        let asked = Int(try reader.readUInt32())
        let (context, object) = try Self.regular(compound)
        let file = try readable(stateid, compound, context, object)
        guard let start = off_t(exactly: offset), start < off_t.max - off_t(Self.transferLimit) else {
            writer.write(true)
            writer.write(0 as UInt32)
            return
        }
        var wanted = min(asked, Self.transferLimit)
        let mayFollow =
            compound.isLast && compound.sequence?.keepsReply != true && !keepsReply && !server.isCareful
        // A file that has grown since gives less than was asked for, which clients take.
        if wanted > Self.directLength, mayFollow, object.lastSize > offset + UInt64(Self.directLength) {
            let size = try FileAttributes.of(file).size
            let left = size > offset ? size - offset : 0
            if left > UInt64(Self.directLength) {
                let count = Int(min(UInt64(wanted), left))
                writer.write(UInt64(count) == left)
                writer.write(UInt32(count))
                compound.tail = .file(file, offset: offset, count: count)
                return
            }
        }
        wanted = min(wanted, max(0, writer.room - Self.operationRoom), Self.listingLimit)
        guard let room = unsafe writer.spare(8 + wanted) else { throw NFS4Status.resource }
        let count = unsafe pread(file.number, room.baseAddress.map { unsafe $0 + 8 }, wanted, start)
        guard count >= 0 else { throw TreeError() }
        // A full read that is not the rest of the file says nothing about its end.
        var isAtEnd = count < wanted
        if !isAtEnd {
            let attributes = try FileAttributes.of(file)
            object.noteSize(attributes)
            isAtEnd = offset + UInt64(count) >= attributes.size
        }
        writer.write(isAtEnd)
        writer.write(UInt32(count))
        writer.count += count
        writer.pad(count)
    }

    mutating func write4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let stateid = try NFS4Stateid(decoding: &reader)
        let offset = try reader.readUInt64()
        let place = reader.offset
        let stability = try reader.readUInt32()
        guard stability <= 2 else { throw XDRError.invalid(offset: place, value: stability) }
        let data = try reader.readOpaque(limit: Self.inputSize)
        let (context, object) = try Self.regular(compound)
        guard context.export.isWritable else { throw NFS4Status.readOnly }
        let file = try openWriter(stateid, compound, context, object)
        object.lockChanges()
        defer { object.unlockChanges() }
        try thread.become(context.caller)
        let written = try unsafe data.withUnsafeBytes { unsafe try Self.write($0, to: file, at: offset) }
        object.noteWritten(upTo: offset &+ UInt64(written))
        if stability != 0 { try promise(object, context) }
        writer.write(UInt32(written))
        writer.write(stability == 0 ? 0 : 2 as UInt32)
        writer.write(server.writeVerifier)
    }

    /// The file, open for writing by a state.
    mutating func openWriter(
        _ stateid: NFS4Stateid,
        _ compound: Compound,
        _ context: ExportContext,
        _ object: TreeObject
    ) throws -> TreeDescriptor {
        let access = try usable(stateid, compound, object, writes: true)
        if let open = access.attachment as? OpenFile, let writer = open.writer(for: context.caller) { return writer }
        return try context.tree.writer(of: object, as: context.caller, try attributes4(object), on: &thread)
    }

    mutating func commit4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let offset = try reader.readUInt64()
        let count = try reader.readUInt32()
        let (context, object) = try Self.regular(compound)
        guard !offset.addingReportingOverflow(UInt64(count)).overflow else { throw NFS4Status.invalid }
        // Taken before: a failure on another connection meanwhile must show.
        let verifier = server.writeVerifier
        if !context.export.isVolatile {
            do throws(TreeError) { try context.tree.sync(object, on: &thread) } catch {
                server.storageFailed(error)
                throw error
            }
        }
        writer.write(verifier)
    }
}
