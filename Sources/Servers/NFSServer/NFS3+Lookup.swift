import CLinux
import FileTree
import NFS3
import XDR

extension Conversation {
    mutating func lookup(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        // As NFS3Name decodes it, without a copy of the name.
        let handle = try NFS3FileHandle(decoding: &reader)
        let bytes = try reader.readOpaque(limit: NFS3.nameLimit)
        let (context, directory) = try resolve(handle)
        let name = try FileName(bytes)
        do {
            let (object, attributes) = try context.tree.lookup(name, in: directory, as: context.caller, on: &thread)
            writer.write(NFS3Status.ok.rawValue)
            NFS3FileHandle(object.handle).encode(into: &writer)
            NFS3Attributes.encode(NFS3Attributes(attributes, context), into: &writer)
        } catch  where error.number == ENOENT {
            // With the directory's attributes the client may remember that there is nothing.
            throw NFS3Failure(.noEntry, NFS3Attributes(try directory.attributes(), context))
        }
        NFS3Attributes.encode(NFS3Attributes(try directory.attributes(), context), into: &writer)
    }

    mutating func readLink(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let (context, object) = try resolve(try NFS3FileHandle(decoding: &reader))
        let target = try context.tree.readLink(object)
        writer.write(NFS3Status.ok.rawValue)
        NFS3Attributes.encode(NFS3Attributes(try object.attributes(), context), into: &writer)
        writer.writeOpaque(target)
    }

    mutating func readDirectory(_ reader: inout XDRReader, _ writer: inout XDRWriter, plus: Bool) throws {
        let call = try NFS3ReadDirectoryCall(decoding: &reader, plus: plus)
        let (context, directory) = try resolve(call.handle)
        let own = NFS3Attributes(try directory.attributes(), context)
        if entries.isEmpty { entries = [UInt8](repeating: 0, count: 32 << 10) }
        // Locals, so that the closure holds on to nothing of this value.
        var room: [UInt8] = []
        swap(&room, &entries)
        defer { swap(&room, &entries) }
        let tree = context.tree
        var listing = NFS3DirectoryListing(
            call,
            plus: plus,
            directory: own,
            maximum: Self.listingLimit,
            into: &writer
        )
        let isAtEnd = try Self.fill(&listing, &writer, call, directory, own, context, tree, &room, &thread)
        guard isAtEnd || listing.entries > 0 else { throw NFS3Failure(.tooSmall, own) }
        listing.finish(isAtEnd: isAtEnd, into: &writer)
    }

    private static func fill(
        _ listing: inout NFS3DirectoryListing,
        _ writer: inout XDRWriter,
        _ call: NFS3ReadDirectoryCall,
        _ directory: TreeObject,
        _ own: NFS3Attributes,
        _ context: ExportContext,
        _ tree: FileTree,
        _ room: inout [UInt8],
        _ thread: inout ThreadIdentity
    ) throws -> Bool {
        let plus = listing.plus
        return try tree.list(directory, from: call.cookie, as: context.caller, on: &thread, room: &room) {
            entry,
            opened,
            thread in
            guard !listing.isFull(nameLength: entry.name.byteCount, handleLength: FileHandle.limit, writer) else {
                return false
            }
            var attributes: NFS3Attributes?
            var handle: NFS3FileHandle?
            switch plus ? DotName(entry.name) : .both {
            case .both: break
            case .own:
                attributes = own
                handle = NFS3FileHandle(directory.handle)
            case .neither:
                if let (object, found) = tree.object(of: entry, in: opened, as: context.caller, on: &thread) {
                    attributes = NFS3Attributes(found, context)
                    handle = NFS3FileHandle(object.handle)
                }
            }
            listing.append(
                file: entry.file,
                name: entry.name,
                cookie: entry.next,
                attributes: attributes,
                handle: handle,
                into: &writer
            )
            return true
        }
    }
}

/// Whether a name is "." (the directory's own), ".." (about which nothing is told here) or neither.
private enum DotName {
    case own, both, neither

    init(_ name: RawSpan) {
        let isDots = unsafe name.withUnsafeBytes { unsafe $0.allSatisfy { $0 == 0x2e } }
        self = !isDots || name.byteCount > 2 ? .neither : name.byteCount == 1 ? .own : .both
    }
}
