import CLinux
import FileTree
import NFS3
import XDR

extension Conversation {
    mutating func getAttributes(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let (context, object) = try resolve(try NFS3FileHandle(decoding: &reader))
        let attributes = try object.attributes()
        writer.write(NFS3Status.ok.rawValue)
        NFS3Attributes(attributes, context).encode(into: &writer)
    }

    mutating func setAttributes(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let call = try NFS3SetAttributesCall(decoding: &reader)
        let (context, object) = try resolveToChange(call.handle)
        object.lockChanges()
        defer { object.unlockChanges() }
        let before = NFS3Attributes(try object.attributes(), context)
        if let guardTime = call.guardTime, guardTime != before.changed { throw NFS3Failure(.notSynchronized, before) }
        try context.tree.set(NewAttributes(call.attributes), of: object, as: context.caller, on: &thread)
        try promise(object, context)
        let after = NFS3Attributes(try object.attributes(), context)
        writer.write(NFS3Status.ok.rawValue)
        NFS3BeforeChange.encode(before: before.beforeChange, after: after, into: &writer)
    }

    mutating func access(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let call = try NFS3AccessCall(decoding: &reader)
        let (context, object) = try resolve(call.handle)
        let attributes = try object.attributes()
        let isDirectory = object.kind == .directory
        let changes: NFS3Access = isDirectory ? [.modify, .extend, .delete] : [.modify, .extend]
        let runs: NFS3Access = isDirectory ? .lookup : .execute
        var wanted: CInt = 0
        if call.wanted.contains(.read) { wanted |= R_OK }
        if !call.wanted.isDisjoint(with: runs) { wanted |= X_OK }
        if context.export.isWritable, !call.wanted.isDisjoint(with: changes) { wanted |= W_OK }
        let granted = try context.tree.access(object, wanted, attributes, as: context.caller, on: &thread)
        var result: NFS3Access = []
        if granted & R_OK != 0 { result.insert(.read) }
        if granted & X_OK != 0 { result.formUnion(runs) }
        if granted & W_OK != 0 { result.formUnion(changes) }
        writer.write(NFS3Status.ok.rawValue)
        NFS3Attributes.encode(NFS3Attributes(attributes, context), into: &writer)
        writer.write(result.intersection(call.wanted).rawValue)
    }
}

extension NFS3Attributes {
    /// The kernel's attributes in the wire's form.
    ///
    /// The number of the file system is the export's: a device number may be another one after the next start.
    init(_ attributes: FileAttributes, _ context: ExportContext) {
        let status = attributes.status
        self.init(
            type: NFS3FileType(attributes.kind),
            mode: attributes.mode,
            links: UInt32(clamping: status.st_nlink),
            user: status.st_uid,
            group: status.st_gid,
            size: attributes.size,
            used: UInt64(clamping: status.st_blocks) &* 512,
            deviceNumber: UInt64(clinux_major(status.st_rdev)) << 32 | UInt64(clinux_minor(status.st_rdev)),
            fileSystem: context.tree.identity,
            file: UInt64(status.st_ino),
            accessed: NFS3Time(status.st_atim),
            modified: NFS3Time(status.st_mtim),
            changed: NFS3Time(status.st_ctim)
        )
    }
}

extension NFS3Time {
    init(_ time: timespec) {
        self.init(
            seconds: UInt32(truncatingIfNeeded: time.tv_sec),
            nanoseconds: UInt32(truncatingIfNeeded: time.tv_nsec)
        )
    }
}

extension NFS3FileType {
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

extension NewAttributes {
    init(_ new: NFS3NewAttributes) {
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
    init(_ time: NFS3NewAttributes.Time) {
        switch time {
        case .server: self = .now
        case .client(let time):
            self = .given(FileTime(seconds: Int(time.seconds), nanoseconds: Int(time.nanoseconds)))
        }
    }
}

extension NFS3FileHandle {
    init(_ handle: FileHandle) { self.init(words: handle.words, count: handle.count) }
}
