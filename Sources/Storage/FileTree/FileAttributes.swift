package import CLinux

/// What kind of file.
package enum FileKind: Sendable {
    case regular, directory, symbolicLink, blockDevice, characterDevice, pipe, socket

    init(mode: mode_t) {
        self =
            switch CInt(bitPattern: mode) & S_IFMT {
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case S_IFBLK: .blockDevice
            case S_IFCHR: .characterDevice
            case S_IFIFO: .pipe
            case S_IFSOCK: .socket
            default: .regular
            }
    }
}

/// What the kernel tells about a file.
package struct FileAttributes: Sendable {
    /// The kernel's own form.
    package var status: stat

    package init(_ status: stat) { self.status = status }

    /// The kind of file.
    package var kind: FileKind { FileKind(mode: status.st_mode) }
    /// Permission bits with setuid, setgid and sticky.
    package var mode: UInt32 { status.st_mode & 0o7777 }
    /// Size in bytes.
    package var size: UInt64 { UInt64(clamping: status.st_size) }

    /// What decides who may open the file.
    var rights: FileRights { FileRights(mode: status.st_mode, user: status.st_uid, group: status.st_gid) }

    /// Of an open file, whether it still has a name or not.
    package static func of(_ file: TreeDescriptor) throws(TreeError) -> FileAttributes { try of(file.number) }

    static func of(_ descriptor: CInt) throws(TreeError) -> FileAttributes {
        var status = stat()
        guard unsafe clinux_fstat(descriptor, &status) == 0 else { throw TreeError() }
        return FileAttributes(status)
    }
}

/// Mode, owner and group, which decide who may open a file.
struct FileRights: Equatable {
    var mode: mode_t
    var user: uid_t
    var group: gid_t
}

/// A point in time.
package struct FileTime: Equatable, Sendable {
    /// Seconds since 1970.
    package var seconds: Int
    /// And nanoseconds.
    package var nanoseconds: Int

    package init(seconds: Int, nanoseconds: Int) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
}

/// Attributes to set; what is nil stays.
package struct NewAttributes: Sendable {
    /// A new time: this computer's clock, or a given one.
    package enum Time: Sendable {
        case now
        case given(FileTime)
    }

    package var mode: UInt32?
    package var user: UInt32?
    package var group: UInt32?
    package var size: UInt64?
    package var accessed: Time?
    package var modified: Time?

    package init() {}

    /// Whether there is nothing to set.
    package var isEmpty: Bool {
        mode == nil && user == nil && group == nil && size == nil && accessed == nil && modified == nil
    }
}
