import CLinux
import FileTree
import NFS3
import XDR

extension Conversation {
    mutating func create(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let call = try NFS3CreateCall(decoding: &reader)
        let version4 = server.version4
        try make(call.place, &writer) { tree, name, directory, caller, thread in
            try Self.create(call.mode, tree, name, directory, caller, &thread, version4)
        }
    }

    private static func create(
        _ mode: NFS3CreateCall.Mode,
        _ tree: FileTree,
        _ name: FileName,
        _ directory: TreeObject,
        _ caller: Caller,
        _ thread: inout ThreadIdentity,
        _ version4: NFS4Service
    ) throws -> (TreeObject, Bool) {
        switch mode {
        case .exclusive(let verifier):
            return try createExclusively(verifier, tree, name, directory, caller, &thread)
        case .guarded(let attributes):
            return try createFile(attributes, tree, name, directory, caller, &thread)
        case .unchecked(let attributes):
            do {
                return try createFile(attributes, tree, name, directory, caller, &thread)
            } catch let error as TreeError {
                guard error.number == EEXIST else { throw error }
            }
            let (object, _) = try tree.lookup(name, in: directory, as: caller, on: &thread)
            guard object.kind == .regular else { throw TreeError(EEXIST) }
            guard let size = attributes.size else { return (object, false) }
            if version4.mustWait(for: object.handle, client: nil, writes: true) { throw NFS3Failure(.tryLater) }
            var cut = NewAttributes()
            cut.size = size
            try tree.set(cut, of: object, as: caller, on: &thread)
            return (object, true)
        }
    }

    private static func createFile(
        _ attributes: NFS3NewAttributes,
        _ tree: FileTree,
        _ name: FileName,
        _ directory: TreeObject,
        _ caller: Caller,
        _ thread: inout ThreadIdentity
    ) throws -> (TreeObject, Bool) {
        let object = try tree.createFile(name, mode: attributes.mode ?? 0o644, in: directory, as: caller, on: &thread)
        return (object, try setRest(attributes, of: object, tree, caller, &thread))
    }

    /// The verifier is kept in the times of the new file, as other servers do, until the client sets them.
    private static func createExclusively(
        _ verifier: UInt64,
        _ tree: FileTree,
        _ name: FileName,
        _ directory: TreeObject,
        _ caller: Caller,
        _ thread: inout ThreadIdentity
    ) throws -> (TreeObject, Bool) {
        // 31 bits each: what every file system can keep.
        let first = Int(verifier >> 32 & 0x7fff_ffff)
        let second = Int(verifier & 0x7fff_ffff)
        let object: TreeObject
        do throws(TreeError) {
            object = try tree.createFile(name, mode: 0, in: directory, as: caller, on: &thread)
        } catch {
            guard error.number == EEXIST else { throw error }
            let (object, found) = try tree.lookup(name, in: directory, as: caller, on: &thread)
            guard object.kind == .regular, found.size == 0, found.status.st_atim.tv_sec == first,
                found.status.st_mtim.tv_sec == second
            else { throw error }
            return (object, false)
        }
        var times = NewAttributes()
        times.accessed = .given(FileTime(seconds: first, nanoseconds: 0))
        times.modified = .given(FileTime(seconds: second, nanoseconds: 0))
        try tree.set(times, of: object, as: caller, on: &thread)
        return (object, true)
    }

    mutating func makeDirectory(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let call = try NFS3MakeDirectoryCall(decoding: &reader)
        try make(call.place, &writer) { tree, name, directory, caller, thread in
            let object = try tree.createDirectory(
                name,
                mode: call.attributes.mode ?? 0o755,
                in: directory,
                as: caller,
                on: &thread
            )
            return (object, try Self.setRest(call.attributes, of: object, tree, caller, &thread))
        }
    }

    mutating func symbolicLink(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let call = try NFS3SymbolicLinkCall(decoding: &reader)
        try make(call.place, &writer) { tree, name, directory, caller, thread in
            let object = try tree.createLink(name, to: call.target, in: directory, as: caller, on: &thread)
            return (object, try Self.setRest(call.attributes, of: object, tree, caller, &thread))
        }
    }

    mutating func makeNode(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let call = try NFS3MakeNodeCall(decoding: &reader)
        let kind: FileKind
        switch call.type {
        case .blockDevice: kind = .blockDevice
        case .characterDevice: kind = .characterDevice
        case .pipe: kind = .pipe
        case .socket: kind = .socket
        default: throw NFS3Failure(.badType)
        }
        try make(call.place, &writer) { tree, name, directory, caller, thread in
            let object = try tree.createNode(
                name,
                kind,
                mode: call.attributes.mode ?? 0o644,
                major: call.major,
                minor: call.minor,
                in: directory,
                as: caller,
                on: &thread
            )
            return (object, try Self.setRest(call.attributes, of: object, tree, caller, &thread))
        }
    }

    /// Sets what the making itself could not; whether there was anything.
    private static func setRest(
        _ attributes: NFS3NewAttributes,
        of object: TreeObject,
        _ tree: FileTree,
        _ caller: Caller,
        _ thread: inout ThreadIdentity
    ) throws -> Bool {
        var rest = NewAttributes(attributes)
        rest.mode = nil
        // The owner it has anyway; asking for it would need rights that the caller may not have.
        if rest.user == caller.user { rest.user = nil }
        if rest.group == caller.group { rest.group = nil }
        // setuid and setgid went away with a change of the owner.
        if rest.user != nil || rest.group != nil { rest.mode = attributes.mode }
        if rest.size == 0 { rest.size = nil }
        guard !rest.isEmpty else { return false }
        try tree.set(rest, of: object, as: caller, on: &thread)
        return true
    }

    /// What all makers share: the directory before and after, the reply, and that it lasts.
    ///
    /// `body` gives the object, and whether more than its entry in the directory must be made durable.
    private mutating func make(
        _ place: NFS3Name,
        _ writer: inout XDRWriter,
        _ body: (FileTree, FileName, TreeObject, Caller, inout ThreadIdentity) throws -> (TreeObject, Bool)
    ) throws {
        let (context, directory) = try resolveToChange(place.directory)
        let name = try FileName(place.name)
        directory.lockChanges()
        defer { directory.unlockChanges() }
        let before = NFS3Attributes(try directory.attributes(), context)
        let (object, isChanged) = try body(context.tree, name, directory, context.caller, &thread)
        try promise(directory, context)
        if isChanged { try promise(object, context) }
        let attributes = NFS3Attributes(try object.attributes(), context)
        writer.write(NFS3Status.ok.rawValue)
        writer.write(true)
        NFS3FileHandle(object.handle).encode(into: &writer)
        NFS3Attributes.encode(attributes, into: &writer)
        NFS3BeforeChange.encode(
            before: before.beforeChange,
            after: NFS3Attributes(try directory.attributes(), context),
            into: &writer
        )
    }
}
