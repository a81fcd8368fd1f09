import CLinux
import FileTree
import NFS4
import XDR

extension Conversation {
    /// Bytes that one COPY copies at most, so that others get their turn.
    private static let copyLimit: UInt64 = 64 << 20

    /// The operations of version 4.2 (RFC 7862) and extended attributes (RFC 8276).
    mutating func perform42(
        _ operation: NFS4Operation,
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        switch operation {
        case .allocate, .deallocate:
            let stateid = try NFS4Stateid(decoding: &reader)
            let (offset, length) = (try reader.readUInt64(), try reader.readUInt64())
            let (context, object) = try Self.regular(compound)
            guard context.export.isWritable else { throw NFS4Status.readOnly }
            let file = try openWriter(stateid, compound, context, object)
            object.lockChanges()
            defer { object.unlockChanges() }
            try thread.become(context.caller)
            if operation == .allocate {
                try file.allocate(offset, length)
            } else {
                try file.deallocate(offset, length)
            }
            try promise(object, context)
        case .seek: try seek(compound, &reader, &writer)
        case .copy: try copy(compound, &reader, &writer)
        case .clone: try clone(compound, &reader)
        case .ioAdvise:
            _ = try NFS4Stateid(decoding: &reader)
            _ = try reader.readUInt64()
            _ = try reader.readUInt64()
            _ = try NFS4Bitmap(decoding: &reader)
            _ = try compound.file
            writer.write(0 as UInt32)
        default: try extendedAttribute(operation, compound, &reader, &writer)
        }
    }

    private mutating func seek(
        _ compound: Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let stateid = try NFS4Stateid(decoding: &reader)
        let offset = try reader.readUInt64()
        let what = try reader.readUInt32()
        let (context, object) = try Self.regular(compound)
        guard what <= 1 else { throw NFS4Status.unionNotsupp }
        let file = try readable(stateid, compound, context, object)
        let place = try file.seek(offset, hole: what == 1)
        writer.write(place >= (try FileAttributes.of(file).size))
        writer.write(place)
    }

    /// The saved file, to be read, and the current one, to be written.
    private mutating func pair(
        _ compound: Compound,
        _ source: NFS4Stateid,
        _ target: NFS4Stateid
    ) throws -> (TreeDescriptor, TreeDescriptor, ExportContext, TreeObject) {
        var saved = compound
        saved.current = compound.saved
        saved.currentState = compound.savedState
        guard compound.saved != nil else { throw NFS4Status.noHandle }
        let (context, object) = try Self.regular(saved)
        let (otherContext, other) = try Self.regular(compound)
        guard otherContext.export.isWritable else { throw NFS4Status.readOnly }
        let from = try readable(source, saved, context, object)
        let to = try openWriter(target, compound, otherContext, other)
        return (from, to, otherContext, other)
    }

    private mutating func copy(
        _ compound: Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let (source, target) = (try NFS4Stateid(decoding: &reader), try NFS4Stateid(decoding: &reader))
        let (offset, place) = (try reader.readUInt64(), try reader.readUInt64())
        var count = try reader.readUInt64()
        _ = try reader.readBool()
        _ = try reader.readBool()
        // From another server: we are none that calls others.
        guard try reader.readUInt32() == 0 else { throw NFS4Status.notSupported }
        let (from, to, context, object) = try pair(compound, source, target)
        let size = try FileAttributes.of(from).size
        guard offset <= size, !offset.addingReportingOverflow(count).overflow else { throw NFS4Status.invalid }
        if count == 0 { count = size - offset } else if offset + count > size { throw NFS4Status.invalid }
        count = min(count, Self.copyLimit)
        object.lockChanges()
        defer { object.unlockChanges() }
        try thread.become(context.caller)
        var done: UInt64 = 0
        while done < count {
            let went = try from.copy(offset + done, Int(count - done), to: to, at: place + done)
            guard went > 0 else { break }
            done += UInt64(went)
        }
        writer.write(0 as UInt32)
        writer.write(done)
        writer.write(0 as UInt32)
        writer.write(server.writeVerifier)
        writer.write(true)
        writer.write(true)
    }

    private mutating func clone(_ compound: Compound, _ reader: inout XDRReader) throws {
        let (source, target) = (try NFS4Stateid(decoding: &reader), try NFS4Stateid(decoding: &reader))
        let (offset, place) = (try reader.readUInt64(), try reader.readUInt64())
        let count = try reader.readUInt64()
        let (from, to, context, object) = try pair(compound, source, target)
        object.lockChanges()
        defer { object.unlockChanges() }
        try thread.become(context.caller)
        try from.clone(offset, count, to: to, at: place)
        try promise(object, context)
    }

    private mutating func extendedAttribute(
        _ operation: NFS4Operation,
        _ compound: Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        switch operation {
        case .getExtendedAttribute:
            let name = try reader.readBytes(limit: NFS4.textLimit)
            let (context, object) = try compound.file
            writer.writeOpaque(try context.tree.attribute(name, of: object, as: context.caller, on: &thread))
        case .setExtendedAttribute:
            let place = reader.offset
            let option = try reader.readUInt32()
            guard option <= 2 else { throw XDRError.invalid(offset: place, value: option) }
            let name = try reader.readBytes(limit: NFS4.textLimit)
            let value = try reader.readBytes(limit: Self.inputSize)
            guard value.count <= FileTree.attributeLimit else { throw NFS4Status.extendedAttributeTooBig }
            try changeAttribute(compound, &writer) { tree, object, caller, thread in
                // XATTR_CREATE is 1, XATTR_REPLACE is 2, as here.
                try tree.setAttribute(name, to: value, flags: CInt(option), of: object, as: caller, on: &thread)
            }
        case .removeExtendedAttribute:
            let name = try reader.readBytes(limit: NFS4.textLimit)
            try changeAttribute(compound, &writer) { tree, object, caller, thread in
                try tree.removeAttribute(name, of: object, as: caller, on: &thread)
            }
        default: try listAttributes(compound, &reader, &writer)
        }
    }

    private mutating func changeAttribute(
        _ compound: Compound,
        _ writer: inout XDRWriter,
        _ body: (FileTree, TreeObject, Caller, inout ThreadIdentity) throws -> Void
    ) throws {
        let (context, object) = try changeable(compound)
        if server.version4.mustWait(for: object.handle, client: sender(compound), writes: true) {
            throw NFS4Status.delay
        }
        object.lockChanges()
        defer { object.unlockChanges() }
        let before = try object.attributes().change
        try body(context.tree, object, context.caller, &thread)
        try promise(object, context)
        try Self.writeChange(before, object, &writer)
    }

    private mutating func listAttributes(
        _ compound: Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let cookie = try reader.readUInt64()
        let limit = Int(try reader.readUInt32())
        let (context, object) = try compound.file
        let names = try context.tree.attributeNames(of: object, as: context.caller, on: &thread)
        guard cookie <= UInt64(names.count) else { throw NFS4Status.badCookie }
        let start = writer.count
        writer.write(0 as UInt64)
        writer.write(0 as UInt32)
        let end = start + min(limit, Self.listingLimit, writer.room - 1024) - 4
        var next = Int(cookie)
        while next < names.count, writer.count + 8 + names[next].count <= end {
            writer.writeOpaque(names[next])
            next += 1
        }
        guard next > Int(cookie) || next == names.count, limit >= 16 else { throw NFS4Status.tooSmall }
        writer.replace(at: start + 4, with: UInt32(next))
        writer.replace(at: start + 8, with: UInt32(next - Int(cookie)))
        writer.write(next == names.count)
    }
}
