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
        if let file = try opened(stateid, compound, context, object) { return file }
        let file = try context.tree.reader(of: object, as: context.caller, on: &thread)
        guard context.tree.isOutdated(object, try FileAttributes.of(file)) else { return file }
        return try context.tree.reader(of: object, as: context.caller, on: &thread)
    }

    /// The file that a stateid has open for reading; nil where it has none, and may read.
    private func opened(
        _ stateid: NFS4Stateid,
        _ compound: Compound,
        _ context: ExportContext,
        _ object: TreeObject
    ) throws -> TreeDescriptor? {
        let access = try usable(stateid, compound, object, writes: false)
        return (access.attachment as? OpenFile)?.reader(for: context.caller)
    }

    mutating func read4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let stateid = try NFS4Stateid(decoding: &reader)
        let offset = try reader.readUInt64()
        let asked = min(Int(try reader.readUInt32()), Self.transferLimit)
        let (context, object) = try Self.regular(compound)
        let opened = try opened(stateid, compound, context, object)
        let mayFollow =
            compound.isLast && compound.sequence?.keepsReply != true && !keepsReply && !server.isCareful
        for _ in 0..<3 {
            // Rights that have changed since a file was opened without an OPEN are seen by the look at its size.
            let file = try opened ?? context.tree.reader(of: object, as: context.caller, on: &thread)
            guard let start = off_t(exactly: offset), start < off_t.max - off_t(Self.transferLimit) else {
                writer.write(true)
                writer.write(0 as UInt32)
                return
            }
            // A file that has grown since gives less than was asked for, which clients take.
            if asked > Self.directLength, mayFollow, object.lastSize > offset + UInt64(Self.directLength) {
                let attributes = try FileAttributes.of(file)
                if opened == nil, context.tree.isOutdated(object, attributes) { continue }
                let left = attributes.size > offset ? attributes.size - offset : 0
                if left > UInt64(Self.directLength) {
                    let count = Int(min(UInt64(asked), left))
                    writer.write(UInt64(count) == left)
                    writer.write(UInt32(count))
                    compound.tail = .file(file, offset: offset, count: count)
                    return
                }
            }
            let wanted = min(asked, max(0, writer.room - Self.operationRoom), Self.listingLimit)
            guard let room = unsafe writer.spare(8 + wanted) else { throw NFS4Status.resource }
            let count = unsafe clinux_pread(file.number, room.baseAddress.map { unsafe $0 + 8 }, wanted, start)
            guard count >= 0 else { throw TreeError() }
            // A full read that is not the rest of the file says nothing about its end.
            var isAtEnd = count < wanted
            if !isAtEnd || opened == nil {
                let attributes = try FileAttributes.of(file)
                if opened == nil, context.tree.isOutdated(object, attributes) { continue }
                object.noteSize(attributes)
                isAtEnd = isAtEnd || offset + UInt64(count) >= attributes.size
            }
            writer.write(isAtEnd)
            writer.write(UInt32(count))
            writer.count += count
            writer.pad(count)
            return
        }
        throw NFS4Status.delay
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
