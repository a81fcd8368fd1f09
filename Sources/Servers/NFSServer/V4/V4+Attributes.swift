import CLinux
import FileTree
import NFS4
import NetworkIO
import XDR

extension NFS4Attributes {
    /// The kernel's attributes in the wire's form.
    init(_ attributes: FileAttributes, _ object: TreeObject, _ context: ExportContext) {
        let status = attributes.status
        let file = UInt64(status.st_ino)
        self.init(
            type: NFS4FileType(attributes.kind),
            change: attributes.change,
            size: attributes.size,
            used: UInt64(clamping: status.st_blocks) &* 512,
            fileSystem: context.tree.identity,
            file: file,
            mountedOn: file,
            mode: attributes.mode,
            links: UInt32(clamping: status.st_nlink),
            user: status.st_uid,
            group: status.st_gid,
            major: clinux_major(status.st_rdev),
            minor: clinux_minor(status.st_rdev),
            accessed: NFS4Time(status.st_atim),
            modified: NFS4Time(status.st_mtim),
            changed: NFS4Time(status.st_ctim),
            handle: NFS4FileHandle(object.handle)
        )
    }
}

extension NFS4Time {
    init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: UInt32(truncatingIfNeeded: time.tv_nsec))
    }
}

extension NFS4FileType {
    init(_ kind: FileKind) {
        self =
            switch kind {
            case .regular: .regular
            case .directory: .directory
            case .symbolicLink: .symbolicLink
            case .blockDevice: .blockDevice
            case .characterDevice: .characterDevice
            case .pipe: .pipe
            case .socket: .socket
            }
    }
}

extension FileAttributes {
    /// Another number after each change: the time of the last one.
    var change: UInt64 {
        UInt64(bitPattern: Int64(status.st_ctim.tv_sec)) &* 1_000_000_000
            &+ UInt64(bitPattern: Int64(status.st_ctim.tv_nsec))
    }
}

extension NewAttributes {
    init(_ new: NFS4NewAttributes) {
        self.init()
        mode = new.mode
        user = new.user
        group = new.group
        size = new.size
        accessed = new.accessed.map { Time($0) }
        modified = new.modified.map { Time($0) }
    }
}

extension NewAttributes.Time {
    init(_ time: NFS4NewAttributes.Time) {
        switch time {
        case .server: self = .now
        case .client(let time): self = .given(FileTime(seconds: Int(time.seconds), nanoseconds: Int(time.nanoseconds)))
        }
    }
}

extension Conversation {
    /// What we say of ourselves beside a file of an export; nil for our own directories.
    func serverAttributes(_ minor: UInt32, _ export: NFSExport?) -> NFS4Attributes.Server {
        var result = NFS4Attributes.Server(
            minor: minor,
            lease: server.version4.lease,
            largestRead: UInt64(Self.transferLimit),
            largestWrite: UInt64(Self.writeLimit4)
        )
        result.hasAccessLists = export?.hasAccessLists == true
        return result
    }

    /// What is told about the file of a handle.
    ///
    /// Throws DELAY when a client that holds a write delegation of the file must be waited for.
    mutating func describe(_ compound: Compound, _ wanted: NFS4Bitmap) throws -> NFS4Attributes {
        switch compound.current {
        case nil: throw NFS4Status.noHandle
        case .pseudo(let directory): return PseudoTree.attributes(directory)
        case .file(let context, let object):
            var result: NFS4Attributes
            switch try askHolder(compound, wanted) {
            case .held(let held, let given): result = try merged(held, given: given, context, object)
            case nil:
                result = NFS4Attributes(try compound.hasAttributes ? attributes : attributes4(object), object, context)
            default: result = NFS4Attributes(try attributes4(object), object, context)
            }
            if wanted.contains(.mountedOnFile), object.handle == context.tree.root,
                let above = pseudoTree().parent(ofExport: context.tree.identity)
            {
                result.mountedOn = above.id
            }
            if wanted.contains(.accessList), context.export.hasAccessLists {
                result.accessList = try accessList(of: object, context, result.mode)
            }
            if !wanted.intersection(.space).isEmpty { result.space = NFS4Space(try context.tree.space()) }
            return result
        }
    }

    /// The attributes of a file, which may have lost its last name while somebody has it open.
    func attributes4(_ object: TreeObject) throws -> FileAttributes {
        do throws(TreeError) { return try object.attributes() } catch {
            let key = NFS4FileKey(object.handle)
            guard error == .stale, server.version4.perform({ state, _ in state.isOpen(key) }) else { throw error }
            return try object.remainingAttributes()
        }
    }

    mutating func getAttributes4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let wanted = try NFS4Bitmap(decoding: &reader)
        guard wanted.intersection(.writeOnly).subtracting(NFS4Bitmap(low: 0, high: 1 << 17)).isEmpty else {
            throw NFS4Status.invalid
        }
        try describe(compound, wanted).encode(wanted, serverAttributes(compound), into: &writer)
    }

    private func serverAttributes(_ compound: Compound) -> NFS4Attributes.Server {
        guard case .file(let context, _) = compound.current else { return serverAttributes(compound.minor, nil) }
        return serverAttributes(compound.minor, context.export)
    }

    mutating func verify4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter,
        same: Bool
    ) throws {
        let wanted = try NFS4Bitmap(decoding: &reader)
        let theirs = try reader.readBytes(limit: 8192)
        guard compound.current != nil else { throw NFS4Status.noHandle }
        let ofServer = serverAttributes(compound)
        guard wanted.subtracting(ofServer.supported).isEmpty else { throw NFS4Status.attributeNotSupported }
        guard wanted.intersection(.writeOnly).isEmpty, !wanted.contains(.readError) else { throw NFS4Status.invalid }
        let start = writer.count
        try describe(compound, wanted).encode(wanted, ofServer, into: &writer)
        let end = writer.count
        writer.count = start
        guard !writer.overflowed else { throw NFS4Status.resource }
        let answer = unsafe Array(UnsafeRawBufferPointer(output.part(filled + start, end - start)))
        var ours = unsafe XDRReader(answer.span.bytes)
        _ = try NFS4Bitmap(decoding: &ours)
        let isSame = try ours.readBytes(limit: answer.count) == theirs
        if same != isSame { throw same ? NFS4Status.notSame : NFS4Status.same }
    }

    mutating func setAttributes4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let stateid = try NFS4Stateid(decoding: &reader)
        let new = try NFS4NewAttributes(decoding: &reader, minor: compound.minor)
        guard new.umask == nil else { throw NFS4Status.invalid }
        let (context, object) = try changeable(compound)
        try Self.mayHave(new, context)
        var attachment: (any AnyObject & Sendable)?
        if new.size != nil {
            switch object.kind {
            case .regular: break
            case .directory: throw NFS4Status.isDirectory
            default: throw NFS4Status.invalid
            }
            attachment = try usable(stateid, compound, object, writes: true).attachment
        } else {
            let client = sender(compound) ?? holder(stateid)
            if server.version4.mustWait(for: object.handle, client: client, writes: true) { throw NFS4Status.delay }
        }
        object.lockChanges()
        defer { object.unlockChanges() }
        var rest = NewAttributes(new)
        if !new.bitmap.intersection(.delegatedTimes).isEmpty {
            try setDelegatedTimes(new, try Self.resolved(stateid, compound), compound.client, object, context)
        }
        if let size = rest.size, let open = attachment as? OpenFile, let writer = open.writer(for: context.caller) {
            // Who has it open for writing may cut it, whatever its mode says now.
            guard let length = off_t(exactly: size) else { throw NFS4Status.tooBig }
            try thread.become(context.caller)
            guard ftruncate(writer.number, length) == 0 else { throw TreeError() }
            rest.size = nil
        }
        // Before the mode, which is the last word (RFC 8881, section 6.4.1.3).
        if let list = new.accessList { try setAccessList(list, of: object, context) }
        if !rest.isEmpty { try context.tree.set(rest, of: object, as: context.caller, on: &thread) }
        try promise(object, context)
        new.bitmap.encode(into: &writer)
    }

    /// Whose state it is, in version 4.0, where a request does not say who sends it.
    func holder(_ stateid: NFS4Stateid) -> UInt64? {
        guard !stateid.isSpecial, server.version4.hasDelegations else { return nil }
        return server.version4.perform { state, _ in state.holder(of: stateid) }
    }

    /// The current file, which may be changed.
    func changeable(_ compound: Compound) throws -> (context: ExportContext, object: TreeObject) {
        switch compound.current {
        case nil: throw NFS4Status.noHandle
        case .pseudo: throw NFS4Status.readOnly
        case .file(let context, let object):
            guard context.export.isWritable else { throw NFS4Status.readOnly }
            return (context, object)
        }
    }
}

extension NFS4Space {
    init(_ space: statvfs) {
        self.init()
        let unit = UInt64(space.f_frsize)
        available = UInt64(space.f_bavail) &* unit
        free = UInt64(space.f_bfree) &* unit
        total = UInt64(space.f_blocks) &* unit
        filesAvailable = UInt64(space.f_favail)
        filesFree = UInt64(space.f_ffree)
        filesTotal = UInt64(space.f_files)
    }
}
