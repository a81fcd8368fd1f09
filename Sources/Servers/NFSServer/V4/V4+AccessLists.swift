import CLinux
import FileTree
import NFS4

extension NFS4PosixAccess {
    private static let version: UInt32 = 2

    /// Kinds of entries as the kernel numbers them (linux/posix_acl_xattr.h).
    private enum Tag: UInt16 {
        case owner = 0x01
        case user = 0x02
        case group = 0x04
        case members = 0x08
        case mask = 0x10
        case other = 0x20
    }

    /// The kernel's form of a list; nil when it is not in that form.
    init?(kernel bytes: [UInt8]) {
        func word(_ offset: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) } }
        guard bytes.count >= 4, (bytes.count - 4).isMultiple(of: 8), word(0) == Self.version else { return nil }
        self.init(mode: 0)
        for offset in stride(from: 4, to: bytes.count, by: 8) {
            guard let tag = Tag(rawValue: UInt16(truncatingIfNeeded: word(offset))) else { return nil }
            let (rights, number) = (word(offset) >> 16 & 7, word(offset + 4))
            switch tag {
            case .owner: owner = rights
            case .group: group = rights
            case .other: other = rights
            case .mask: mask = rights
            case .user: users.append(Named(number: number, rights: rights))
            case .members: groups.append(Named(number: number, rights: rights))
            }
        }
    }

    /// The list in the kernel's form, in the order that it wants.
    var kernelBytes: [UInt8] {
        var bytes: [UInt8] = []
        func write(_ word: UInt32) { for index in 0..<4 { bytes.append(UInt8(word >> (8 * index) & 0xff)) } }
        func write(_ tag: Tag, _ rights: UInt32, _ number: UInt32 = .max) {
            write(UInt32(tag.rawValue) | rights << 16)
            write(number)
        }
        write(Self.version)
        write(.owner, owner)
        for user in users { write(.user, user.rights, user.number) }
        write(.group, group)
        for group in groups { write(.members, group.rights, group.number) }
        if let mask { write(.mask, mask) }
        write(.other, other)
        return bytes
    }

    /// The mode that says the same.
    var mode: UInt32 { owner << 6 | group << 3 | other }
}

extension Conversation {
    /// Throws ATTRNOTSUPP for an access list where there are none.
    static func mayHave(_ new: NFS4NewAttributes, _ context: ExportContext) throws {
        guard new.accessList == nil || context.export.hasAccessLists else { throw NFS4Status.attributeNotSupported }
    }

    /// The access list of a file, and behind it what files get that are made in it; nil when its mode says it all.
    mutating func accessList(
        of object: TreeObject,
        _ context: ExportContext,
        _ mode: UInt32
    ) throws -> [NFS4AccessEntry]? {
        try Self.accessList(of: object, context.tree, context.caller, &thread, mode)
    }

    /// As the one of a conversation.
    static func accessList(
        of object: TreeObject,
        _ tree: FileTree,
        _ caller: Caller,
        _ thread: inout ThreadIdentity,
        _ mode: UInt32
    ) throws(TreeError) -> [NFS4AccessEntry]? {
        let isDirectory = object.kind == .directory
        let own = try tree.accessList(.ofFile, of: object, as: caller, on: &thread)
        let ofNew = try tree.accessList(.ofNewFiles, of: object, as: caller, on: &thread)
        guard own != nil || ofNew != nil else { return nil }
        let access = own.flatMap { NFS4PosixAccess(kernel: $0) } ?? NFS4PosixAccess(mode: mode)
        var list = access.entries(isDirectory: isDirectory)
        if let inherited = ofNew.flatMap({ NFS4PosixAccess(kernel: $0) }) {
            let flags = NFS4AccessEntry.inherits | NFS4AccessEntry.inheritsOnly
            list += inherited.entries(isDirectory: true, inheritance: flags)
        }
        return list
    }

    /// Sets the access list of a file, as the caller; INVAL says that it cannot be kept there.
    mutating func setAccessList(
        _ list: [NFS4AccessEntry],
        of object: TreeObject,
        _ context: ExportContext
    ) throws(TreeError) {
        let isDirectory = object.kind == .directory
        guard isDirectory || list.allSatisfy({ $0.inheritance == 0 }) else { throw TreeError(EINVAL) }
        let own = list.filter { $0.inheritance & NFS4AccessEntry.inheritsOnly == 0 }
        let ofNew = list.filter { $0.inheritance & NFS4AccessEntry.inherits != 0 }
        let access = NFS4PosixAccess(own, isDirectory: isDirectory)
        let (tree, caller) = (context.tree, context.caller)
        do throws(TreeError) {
            try tree.setAccessList(.ofFile, to: access.kernelBytes, of: object, as: caller, on: &thread)
        } catch {
            // A file system without lists keeps what a mode can say.
            guard error.number == EOPNOTSUPP, access.isMode, ofNew.isEmpty else {
                throw error.number == EOPNOTSUPP ? TreeError(EINVAL) : error
            }
            var new = NewAttributes()
            // setuid, setgid and the sticky bit are no part of it.
            new.mode = access.mode | (try object.attributes().mode & 0o7000)
            return try tree.set(new, of: object, as: caller, on: &thread)
        }
        guard isDirectory else { return }
        let inherited = ofNew.isEmpty ? nil : NFS4PosixAccess(ofNew, isDirectory: true).kernelBytes
        try tree.setAccessList(.ofNewFiles, to: inherited, of: object, as: caller, on: &thread)
    }
}
