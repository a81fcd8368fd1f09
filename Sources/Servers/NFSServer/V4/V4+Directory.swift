import CLinux
import FileTree
import NFS4
import XDR

extension Conversation {
    /// Bytes of an entry of READDIR with all attributes that are supported, without its name and handle.
    private static let entryRoom = 512

    mutating func readDirectory4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let cookie = try reader.readUInt64()
        _ = try reader.readUInt64()
        _ = try reader.readUInt32()
        let limit = Int(try reader.readUInt32())
        let wanted = try NFS4Bitmap(decoding: &reader)
        guard compound.current != nil else { throw NFS4Status.noHandle }
        guard wanted.intersection(.writeOnly).isEmpty else { throw NFS4Status.invalid }
        guard cookie != 1, cookie != 2 else { throw NFS4Status.badCookie }
        let start = writer.count
        let end = start + min(limit, Self.listingLimit, writer.room - 1024)
        // The verifier; cookies are good for ever.
        writer.write(0 as UInt64)
        let isAtEnd: Bool
        if case .pseudo(let directory) = compound.current {
            isAtEnd = try listPseudo(directory, cookie, end, wanted, compound.minor, &writer)
        } else {
            let (context, directory) = try Self.directory4(compound)
            isAtEnd = try list(context, directory, cookie, end, wanted, compound.minor, &writer)
        }
        if !isAtEnd, writer.count == start + 8 { throw NFS4Status.tooSmall }
        guard writer.count + 8 <= start + limit else { throw NFS4Status.tooSmall }
        writer.write(false)
        writer.write(isAtEnd)
    }

    private mutating func list(
        _ context: ExportContext,
        _ directory: TreeObject,
        _ cookie: UInt64,
        _ end: Int,
        _ wanted: NFS4Bitmap,
        _ minor: UInt32,
        _ writer: inout XDRWriter
    ) throws -> Bool {
        if entries.isEmpty { entries = [UInt8](repeating: 0, count: 32 << 10) }
        var room: [UInt8] = []
        swap(&room, &entries)
        defer { swap(&room, &entries) }
        let ofServer = serverAttributes(minor, context.export)
        let (tree, caller) = (context.tree, context.caller)
        let space = wanted.intersection(.space).isEmpty ? NFS4Space() : NFS4Space(try tree.space())
        let listsAccess = wanted.contains(.accessList) && context.export.hasAccessLists
        // The number and kind that the listing itself tells need no look at the file.
        let needsFile = !wanted.subtracting(NFS4Bitmap(low: 1 << 20 | 1 << 55 | 1 << 11, high: 0)).isEmpty
        do throws(TreeError) {
            return try tree.list(directory, from: cookie, as: caller, on: &thread, room: &room) {
                entry,
                opened,
                thread in
                if Self.isDots(entry.name) { return true }
                let start = writer.count
                writer.write(true)
                writer.write(entry.next)
                writer.writeOpaque(entry.name)
                if needsFile, let (object, found) = tree.object(of: entry, in: opened, as: caller, on: &thread) {
                    var attributes = NFS4Attributes(found, object, context)
                    attributes.space = space
                    if listsAccess {
                        let list = try? Self.accessList(of: object, tree, caller, &thread, attributes.mode)
                        attributes.accessList = list ?? nil
                    }
                    attributes.encode(wanted, ofServer, into: &writer)
                } else {
                    Self.encodeBare(entry.file, wanted, isUnreadable: needsFile, into: &writer)
                }
                guard writer.count + 8 <= end, !writer.overflowed else {
                    writer.overflowed = false
                    writer.count = start
                    return false
                }
                return true
            }
        } catch {
            if error.number == EINVAL, cookie != 0 { throw NFS4Status.badCookie }
            throw error
        }
    }

    /// An entry without a look at its file: its number, and that the rest cannot be told.
    private static func encodeBare(
        _ file: UInt64,
        _ wanted: NFS4Bitmap,
        isUnreadable: Bool,
        into writer: inout XDRWriter
    ) {
        let told = wanted.intersection(NFS4Bitmap(low: 1 << 20 | 1 << 55 | 1 << 11, high: 0))
        told.encode(into: &writer)
        let start = writer.count
        writer.write(0 as UInt32)
        if told.contains(.readError) { writer.write(isUnreadable ? NFS4Status.accessDenied.rawValue : 0) }
        if told.contains(.file) { writer.write(file) }
        if told.contains(.mountedOnFile) { writer.write(file) }
        if !writer.overflowed { writer.replace(at: start, with: UInt32(writer.count - start - 4)) }
    }

    static func isDots(_ name: RawSpan) -> Bool {
        guard name.byteCount <= 2 else { return false }
        return unsafe name.withUnsafeBytes { unsafe $0.allSatisfy { $0 == 0x2e } }
    }

    private mutating func listPseudo(
        _ directory: PseudoTree.Directory,
        _ cookie: UInt64,
        _ end: Int,
        _ wanted: NFS4Bitmap,
        _ minor: UInt32,
        _ writer: inout XDRWriter
    ) throws -> Bool {
        let first = cookie < 3 ? 0 : cookie - 2
        guard first <= UInt64(directory.children.count) else { throw NFS4Status.badCookie }
        let ofServer = serverAttributes(minor, nil)
        for (index, child) in directory.children.enumerated().dropFirst(Int(first)) {
            let start = writer.count
            writer.write(true)
            writer.write(UInt64(index) + 3)
            writer.writeOpaque(child.name)
            // Who only looks opens nothing.
            if let target = try? target(child.child, opens: false) {
                switch target {
                case .pseudo(let below): PseudoTree.attributes(below).encode(wanted, ofServer, into: &writer)
                case .file(let context, let object):
                    var attributes = NFS4Attributes(try object.attributes(), object, context)
                    attributes.mountedOn = child.id
                    attributes.encode(wanted, serverAttributes(minor, context.export), into: &writer)
                }
            } else {
                Self.encodeBare(child.id, wanted, isUnreadable: true, into: &writer)
            }
            guard writer.count + 8 <= end, !writer.overflowed else {
                writer.overflowed = false
                writer.count = start
                return false
            }
        }
        return true
    }
}
