import CLinux
import FileTree
import NFS4
import XDR

extension Conversation {
    /// How a directory changed (change_info4); both values belong together, as its changes are locked.
    static func writeChange(_ before: UInt64, _ directory: TreeObject, _ writer: inout XDRWriter) throws {
        writer.write(true)
        writer.write(before)
        writer.write(try directory.attributes().change)
    }

    /// The current directory, which may be changed.
    private func changeableDirectory(_ compound: Compound) throws -> (context: ExportContext, object: TreeObject) {
        let found = try Self.directory4(compound)
        guard found.context.export.isWritable else { throw NFS4Status.readOnly }
        return found
    }

    /// Throws GRACE while somebody may still claim a file that this export promised before the server's start
    /// (RFC 8881, section 8.4.2.1): only then is it known whom a change of its names must be told.
    private func awaitClaims(_ context: ExportContext) throws {
        if context.export.hasDelegations, server.version4.isInGrace { throw NFS4Status.grace }
    }

    /// Throws DELAY while somebody has to give back what was promised about the file behind a name.
    private mutating func recallNamed(
        _ name: FileName,
        _ context: ExportContext,
        _ directory: TreeObject,
        _ compound: Compound
    ) throws {
        guard server.version4.hasDelegations,
            let (object, _) = try? context.tree.lookup(name, in: directory, as: context.caller, on: &thread)
        else { return }
        if server.version4.mustWait(for: object.handle, client: sender(compound), writes: true) {
            throw NFS4Status.delay
        }
    }

    mutating func create4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let type = NFS4FileType(rawValue: try reader.readUInt32())
        var target: [UInt8] = []
        var (major, minor): (UInt32, UInt32) = (0, 0)
        switch type {
        case .symbolicLink: target = try reader.readBytes(limit: NFS4.textLimit)
        case .blockDevice, .characterDevice: (major, minor) = (try reader.readUInt32(), try reader.readUInt32())
        default: break
        }
        let bytes = try reader.readBytes(limit: NFS4.textLimit)
        let new = try NFS4NewAttributes(decoding: &reader, minor: compound.minor)
        guard new.bitmap.intersection(.delegatedTimes).isEmpty else { throw NFS4Status.invalid }
        let (context, directory) = try changeableDirectory(compound)
        try Self.mayHave(new, context)
        let name = try Self.name4(bytes)
        let kind: FileKind
        switch type {
        case .directory: kind = .directory
        case .symbolicLink:
            kind = .symbolicLink
            guard !target.isEmpty else { throw NFS4Status.invalid }
            guard target.count < 4096 else { throw NFS4Status.nameTooLong }
        case .blockDevice: kind = .blockDevice
        case .characterDevice: kind = .characterDevice
        case .socket: kind = .socket
        case .pipe: kind = .pipe
        default: throw NFS4Status.badType
        }
        let attributes = NewAttributes(new)
        directory.lockChanges()
        defer { directory.unlockChanges() }
        let before = try directory.attributes().change
        let mode = attributes.mode ?? (kind == .directory ? 0o755 : 0o644)
        let (tree, caller) = (context.tree, context.caller)
        let object: TreeObject
        thread.mask = new.umask ?? 0
        defer { thread.mask = 0 }
        switch kind {
        case .directory:
            object = try tree.createDirectory(name, mode: mode, in: directory, as: caller, on: &thread)
        case .symbolicLink:
            object = try tree.createLink(name, to: target, in: directory, as: caller, on: &thread)
        default:
            object = try tree.createNode(
                name,
                kind,
                mode: mode,
                major: major,
                minor: minor,
                in: directory,
                as: caller,
                on: &thread
            )
        }
        try promise(directory, context)
        var isChanged = try Self.setRest(attributes, of: object, tree, caller, &thread)
        if let list = new.accessList {
            try setAccessList(list, of: object, context)
            isChanged = true
        }
        if isChanged { try promise(object, context) }
        compound.current = .file(context, object)
        compound.currentState = nil
        try Self.writeChange(before, directory, &writer)
        new.bitmap.encode(into: &writer)
    }

    /// Sets what the making itself could not; whether there was anything.
    static func setRest(
        _ attributes: NewAttributes,
        of object: TreeObject,
        _ tree: FileTree,
        _ caller: Caller,
        _ thread: inout ThreadIdentity
    ) throws -> Bool {
        var rest = attributes
        rest.mode = nil
        // The owner it has anyway; asking for it would need rights that the caller may not have.
        if rest.user == caller.user { rest.user = nil }
        if rest.group == caller.group { rest.group = nil }
        // setuid and setgid went away with a change of the owner; who else may do what was settled when it was made.
        if let mode = attributes.mode, rest.user != nil || rest.group != nil {
            rest.mode = mode & 0o7000 | (try object.attributes().mode & 0o777)
        }
        if object.kind != .regular || rest.size == 0 { rest.size = nil }
        guard !rest.isEmpty else { return false }
        try tree.set(rest, of: object, as: caller, on: &thread)
        return true
    }

    mutating func remove4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let bytes = try reader.readBytes(limit: NFS4.textLimit)
        let (context, directory) = try changeableDirectory(compound)
        let name = try Self.name4(bytes)
        try awaitClaims(context)
        try recallNamed(name, context, directory, compound)
        directory.lockChanges()
        defer { directory.unlockChanges() }
        let before = try directory.attributes().change
        do throws(TreeError) {
            try context.tree.remove(name, isDirectory: false, in: directory, as: context.caller, on: &thread)
        } catch {
            guard error.number == EISDIR else { throw error }
            try context.tree.remove(name, isDirectory: true, in: directory, as: context.caller, on: &thread)
        }
        try promise(directory, context)
        try Self.writeChange(before, directory, &writer)
    }

    mutating func rename4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let (from, to) = (try reader.readBytes(limit: NFS4.textLimit), try reader.readBytes(limit: NFS4.textLimit))
        guard compound.current != nil, let saved = compound.saved else { throw NFS4Status.noHandle }
        var source = compound
        source.current = saved
        let (context, directory) = try changeableDirectory(source)
        let (otherContext, other) = try changeableDirectory(compound)
        guard context.tree === otherContext.tree else { throw NFS4Status.crossDevice }
        let (name, newName) = (try Self.name4(from), try Self.name4(to))
        try awaitClaims(context)
        try recallNamed(name, context, directory, compound)
        try recallNamed(newName, context, other, compound)
        TreeObject.lockChanges(directory, other)
        defer { TreeObject.unlockChanges(directory, other) }
        let before = try directory.attributes().change
        let otherBefore = try other.attributes().change
        do throws(TreeError) {
            try context.tree.rename(name, in: directory, to: newName, in: other, as: context.caller, on: &thread)
        } catch {
            // A directory and a file in each other's way (RFC 8881, section 18.26.3).
            if error.number == EISDIR || error.number == ENOTDIR || error.number == ENOTEMPTY {
                throw NFS4Status.exists
            }
            throw error
        }
        try promise(directory, context)
        try promise(other, context)
        try Self.writeChange(before, directory, &writer)
        try Self.writeChange(otherBefore, other, &writer)
    }

    mutating func link4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let bytes = try reader.readBytes(limit: NFS4.textLimit)
        guard compound.current != nil, let saved = compound.saved else { throw NFS4Status.noHandle }
        let (context, directory) = try changeableDirectory(compound)
        guard case .file(let otherContext, let object) = saved else { throw NFS4Status.isDirectory }
        guard object.kind != .directory else { throw NFS4Status.isDirectory }
        guard context.tree === otherContext.tree else { throw NFS4Status.crossDevice }
        let name = try Self.name4(bytes)
        try awaitClaims(context)
        if server.version4.mustWait(for: object.handle, client: sender(compound), writes: true) {
            throw NFS4Status.delay
        }
        directory.lockChanges()
        defer { directory.unlockChanges() }
        let before = try directory.attributes().change
        try context.tree.link(object, as: name, in: directory, as: context.caller, on: &thread)
        try promise(directory, context)
        try promise(object, context)
        try Self.writeChange(before, directory, &writer)
    }
}
