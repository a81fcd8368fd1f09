import CLinux
import FileTree
import Logging
import NFS4
import XDR

extension Conversation {
    /// Does one operation of a compound; throws the status when it cannot be done.
    mutating func perform(
        _ operation: NFS4Operation,
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        switch operation {
        // What comes most often is asked first.
        case .sequence: try sequence(&compound, &reader, &writer)
        case .putHandle: try putHandle(&compound, &reader)
        case .getAttributes: try getAttributes4(&compound, &reader, &writer)
        case .read: try read4(&compound, &reader, &writer)
        case .write: try write4(&compound, &reader, &writer)
        case .lookup: try lookup4(&compound, &reader)
        case .access: try access4(&compound, &reader, &writer)
        case .getHandle: try getHandle(compound, &writer)
        case .open: try open4(&compound, &reader, &writer)
        case .close: try close4(&compound, &reader, &writer)
        case .readDirectory: try readDirectory4(&compound, &reader, &writer)
        case .commit: try commit4(&compound, &reader, &writer)
        case .setAttributes: try setAttributes4(&compound, &reader, &writer)
        case .readLink: try readLink4(compound, &writer)
        case .putRootHandle, .putPublicHandle: try put(pseudoTree().top, &compound)
        case .lookupParent: try lookupParent(&compound)
        case .saveHandle:
            guard compound.current != nil else { throw NFS4Status.noHandle }
            (compound.saved, compound.savedState) = (compound.current, compound.currentState)
        case .restoreHandle:
            guard compound.saved != nil else { throw NFS4Status.nothingSaved }
            (compound.current, compound.currentState) = (compound.saved, compound.savedState)
        case .create: try create4(&compound, &reader, &writer)
        case .remove: try remove4(&compound, &reader, &writer)
        case .rename: try rename4(&compound, &reader, &writer)
        case .link: try link4(&compound, &reader, &writer)
        case .verify, .verifyNot: try verify4(&compound, &reader, &writer, same: operation == .verify)
        case .openDowngrade: try openDowngrade(&compound, &reader, &writer)
        case .openConfirm: try openConfirm(&compound, &reader, &writer)
        case .lock: try lock4(&compound, &reader, &writer)
        case .lockTest: try lockTest(&compound, &reader, &writer)
        case .unlock: try unlock4(&compound, &reader, &writer)
        case .delegationReturn: try delegationReturn(&compound, &reader)
        case .securityInfo: try securityInfo(&compound, &reader, &writer)
        case .securityInfoNoName: try securityInfoNoName(&compound, &reader, &writer)
        case .setClientID, .setClientIDConfirm, .renew, .releaseLockOwner, .delegationPurge:
            try perform40(operation, &compound, &reader, &writer)
        case .exchangeID, .createSession, .destroySession, .bindConnection, .backchannelControl, .destroyClientID,
            .reclaimComplete, .testStateids, .freeStateid:
            try perform41(operation, &compound, &reader, &writer)
        case .allocate, .deallocate, .seek, .copy, .clone, .ioAdvise, .getExtendedAttribute, .setExtendedAttribute,
            .listExtendedAttributes, .removeExtendedAttribute:
            try perform42(operation, &compound, &reader, &writer)
        case .openAttributeDirectory:
            _ = try reader.readBool()
            guard compound.current != nil else { throw NFS4Status.noHandle }
            throw NFS4Status.notSupported
        default: throw NFS4Status.notSupported
        }
    }

    /// The directories above the exports that this client may see.
    mutating func pseudoTree() -> PseudoTree {
        let revision = server.source.revision
        if let known = pseudo, known.revision == revision { return known.tree }
        let tree = PseudoTree(server.source.exports(for: handle.peer))
        pseudo = (revision, tree)
        return tree
    }

    private mutating func put(_ child: PseudoTree.Child, _ compound: inout Compound) throws {
        compound.current = try target(child)
        compound.currentState = nil
    }

    /// What a name in one of our own directories leads to; an export is opened where `opens` is true, else it is stale.
    mutating func target(_ child: PseudoTree.Child, opens: Bool = true) throws -> NFS4Target {
        switch child {
        case .directory(let id):
            guard let directory = pseudoTree().directory(id) else { throw NFS4Status.stale }
            return .pseudo(directory)
        case .export(let export):
            guard let context = credentials.context(at: export.path, opens: opens) else { throw NFS4Status.stale }
            // A kept layer over another image gets another number when it is opened.
            if context.tree.identity != export.identity { pseudo = nil }
            let object = try context.tree.object(context.tree.root, on: &thread)
            return .file(context, object)
        }
    }

    /// Where a handle leads.
    mutating func target(_ handle: NFS4FileHandle) throws -> NFS4Target {
        if handle.count == 16, handle.words[0] == PseudoTree.form {
            guard let directory = pseudoTree().directory(handle.words[1]) else { throw NFS4Status.stale }
            return .pseudo(directory)
        }
        guard let known = FileHandle(words: handle.words, count: handle.count) else { throw NFS4Status.badHandle }
        // An export that went away looks to its clients as its files do when they are gone.
        guard let context = credentials.context(known.export) else { throw NFS4Status.stale }
        do throws(TreeError) {
            return .file(context, try context.tree.object(known, on: &thread))
        } catch {
            // Its last name is gone, but somebody has it open.
            let key = NFS4FileKey(known)
            guard error == .stale, let open = server.version4.perform({ state, _ in state.attachment(file: key) }),
                let file = open as? OpenFile
            else { throw error }
            return .file(context, file.object)
        }
    }

    private mutating func putHandle(_ compound: inout Compound, _ reader: inout XDRReader) throws {
        compound.current = try target(try NFS4FileHandle(decoding: &reader))
        compound.currentState = nil
    }

    private func getHandle(_ compound: Compound, _ writer: inout XDRWriter) throws {
        switch compound.current {
        case nil: throw NFS4Status.noHandle
        case .pseudo(let directory): PseudoTree.handle(directory.id).encode(into: &writer)
        case .file(_, let object): NFS4FileHandle(object.handle).encode(into: &writer)
        }
    }

    /// A name as it comes; throws when it cannot be one.
    static func name4(_ bytes: [UInt8]) throws -> FileName { try unsafe name4(bytes.span.bytes) }

    /// As the one that takes an array.
    static func name4(_ bytes: RawSpan) throws -> FileName {
        guard bytes.byteCount > 0 else { throw NFS4Status.invalid }
        guard bytes.byteCount <= 255 else { throw NFS4Status.nameTooLong }
        guard !isDots(bytes) else { throw NFS4Status.badName }
        do throws(TreeError) { return try FileName(bytes) } catch { throw NFS4Status.badCharacter }
    }

    /// The current directory.
    static func directory4(_ compound: Compound) throws -> (context: ExportContext, object: TreeObject) {
        switch compound.current {
        case nil: throw NFS4Status.noHandle
        case .pseudo: throw NFS4Status.readOnly
        case .file(let context, let object):
            switch object.kind {
            case .directory: return (context, object)
            case .symbolicLink: throw NFS4Status.symbolicLink
            default: throw NFS4Status.notDirectory
            }
        }
    }

    private mutating func lookup4(_ compound: inout Compound, _ reader: inout XDRReader) throws {
        let span = try reader.readOpaque(limit: NFS4.textLimit)
        switch compound.current {
        case nil: throw NFS4Status.noHandle
        case .pseudo(let directory):
            _ = try Self.name4(span)
            let bytes = unsafe span.withUnsafeBytes { unsafe Array($0) }
            guard let child = directory.children.first(where: { $0.name == bytes }) else {
                let path = pseudoTree().path(of: directory.id) + "/" + Self.shown(bytes)
                server.logOnce(handle.peer, "\(path): no such export for this client", "NFS mount refused")
                server.source.refused(path, to: handle.peer)
                throw NFS4Status.noEntry
            }
            compound.current = try target(child.child)
            if case .export(let export) = child.child {
                server.source.mounted(export.path, by: handle.peer)
            }
        case .file:
            let (context, directory) = try Self.directory4(compound)
            let name = try Self.name4(span)
            let (object, found) = try context.tree.lookup(name, in: directory, as: context.caller, on: &thread)
            compound.current = .file(context, object)
            (attributes, compound.hasAttributes) = (found, true)
        }
        compound.currentState = nil
    }

    private mutating func lookupParent(_ compound: inout Compound) throws {
        switch compound.current {
        case nil: throw NFS4Status.noHandle
        case .pseudo(let directory):
            guard let parent = directory.parent else { throw NFS4Status.noEntry }
            compound.current = try target(.directory(parent))
        case .file:
            let (context, directory) = try Self.directory4(compound)
            if directory.handle == context.tree.root {
                guard let above = pseudoTree().parent(ofExport: context.tree.identity) else { throw NFS4Status.noEntry }
                compound.current = try target(.directory(above.directory))
            } else {
                let dots = try FileName([0x2e, 0x2e])
                let (object, _) = try context.tree.lookup(dots, in: directory, as: context.caller, on: &thread)
                compound.current = .file(context, object)
            }
        }
        compound.currentState = nil
    }

    private mutating func readLink4(_ compound: Compound, _ writer: inout XDRWriter) throws {
        guard compound.current != nil else { throw NFS4Status.noHandle }
        guard case .file(let context, let object) = compound.current, object.kind == .symbolicLink else {
            if compound.minor > 0, case .file(_, let object) = compound.current, object.kind == .directory {
                throw NFS4Status.isDirectory
            }
            throw compound.minor == 0 ? NFS4Status.invalid : NFS4Status.wrongType
        }
        writer.writeOpaque(try context.tree.readLink(object))
    }

    private mutating func access4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let asked = try reader.readUInt32()
        guard asked & ~(compound.minor == 2 ? 0x1ff : 0x3f) == 0 else { throw NFS4Status.invalid }
        let (context, object): (ExportContext, TreeObject)
        switch compound.current {
        case nil: throw NFS4Status.noHandle
        case .pseudo:
            writer.write(asked)
            writer.write(asked & 0x3)
            return
        case .file(let first, let second): (context, object) = (first, second)
        }
        // READ 1, LOOKUP 2, MODIFY 4, EXTEND 8, DELETE 16, EXECUTE 32, then XAREAD, XAWRITE, XALIST.
        let isDirectory = object.kind == .directory
        let runs: UInt32 = isDirectory ? 0x2 : 0x20
        let changes: UInt32 = (isDirectory ? 0x1c : 0xc) | 0x80
        let reads: UInt32 = 0x1 | 0x40 | 0x100
        let supported = asked & (runs | changes | reads)
        var wanted: CInt = 0
        if supported & reads != 0 { wanted |= R_OK }
        if supported & runs != 0 { wanted |= X_OK }
        if supported & changes != 0, context.export.isWritable { wanted |= W_OK }
        attributes = try object.attributes()
        compound.hasAttributes = true
        let granted = try context.tree.access(object, wanted, attributes, as: context.caller, on: &thread)
        var result: UInt32 = 0
        if granted & R_OK != 0 { result |= reads }
        if granted & X_OK != 0 { result |= runs }
        if granted & W_OK != 0 { result |= changes }
        writer.write(supported)
        writer.write(result & asked)
    }

    private func writeFlavors(_ writer: inout XDRWriter) {
        for word in [2, 1, 0] as [UInt32] { writer.write(word) }
    }

    private mutating func securityInfo(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let bytes = try reader.readBytes(limit: NFS4.textLimit)
        switch compound.current {
        case nil: throw NFS4Status.noHandle
        case .pseudo(let directory):
            _ = try Self.name4(bytes)
            guard directory.children.contains(where: { $0.name == bytes }) else { throw NFS4Status.noEntry }
        case .file:
            let (context, directory) = try Self.directory4(compound)
            let name = try Self.name4(bytes)
            _ = try context.tree.lookup(name, in: directory, as: context.caller, on: &thread)
        }
        writeFlavors(&writer)
        // RFC 8881, section 2.6.3.1.1.8: the handle is consumed.
        if compound.minor > 0 { compound.current = nil }
    }

    private mutating func securityInfoNoName(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let start = reader.offset
        let style = try reader.readUInt32()
        guard style <= 1 else { throw XDRError.invalid(offset: start, value: style) }
        guard compound.current != nil else { throw NFS4Status.noHandle }
        if style == 1 { try lookupParent(&compound) }
        writeFlavors(&writer)
        compound.current = nil
    }
}
