public import XDR

/// A point in time (nfstime4).
public struct NFS4Time: Hashable, Sendable {
    /// Seconds since 1970, also before.
    public var seconds: Int64
    /// And nanoseconds.
    public var nanoseconds: UInt32

    /// A point in time.
    public init(seconds: Int64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Reads one.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        seconds = Int64(bitPattern: try reader.readUInt64())
        nanoseconds = try reader.readUInt32()
    }

    /// Writes it.
    @inlinable public func encode(into writer: inout XDRWriter) {
        writer.write(UInt64(bitPattern: seconds))
        writer.write(nanoseconds)
    }
}

/// What kind of file (nfs_ftype4).
public struct NFS4FileType: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt32
    /// Any number.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// NF4REG.
    public static let regular = NFS4FileType(rawValue: 1)
    /// NF4DIR.
    public static let directory = NFS4FileType(rawValue: 2)
    /// NF4BLK.
    public static let blockDevice = NFS4FileType(rawValue: 3)
    /// NF4CHR.
    public static let characterDevice = NFS4FileType(rawValue: 4)
    /// NF4LNK.
    public static let symbolicLink = NFS4FileType(rawValue: 5)
    /// NF4SOCK.
    public static let socket = NFS4FileType(rawValue: 6)
    /// NF4FIFO.
    public static let pipe = NFS4FileType(rawValue: 7)
}

/// Room in a file system, in bytes and files.
public struct NFS4Space: Hashable, Sendable {
    /// Bytes that users may still take.
    public var available: UInt64 = 0
    /// Bytes that nobody has.
    public var free: UInt64 = 0
    /// All bytes.
    public var total: UInt64 = 0
    /// Files that users may still make.
    public var filesAvailable: UInt64 = 0
    /// Files that are not there yet.
    public var filesFree: UInt64 = 0
    /// All files.
    public var filesTotal: UInt64 = 0

    /// No room at all.
    public init() {}
}

/// All that is told about a file.
public struct NFS4Attributes: Sendable {
    /// The kind of file.
    public var type: NFS4FileType
    /// Another number after each change.
    public var change: UInt64
    /// Bytes.
    public var size: UInt64
    /// Bytes that it takes on the disk.
    public var used: UInt64
    /// The file system: an export's number.
    public var fileSystem: UInt64
    /// The file in it.
    public var file: UInt64
    /// What the name it is mounted at belongs to in the file system above.
    public var mountedOn: UInt64
    /// Permission bits.
    public var mode: UInt32
    /// How many names it has.
    public var links: UInt32
    /// The user.
    public var user: UInt32
    /// The group.
    public var group: UInt32
    /// Of a device.
    public var major: UInt32
    /// Of a device.
    public var minor: UInt32
    /// Last reading.
    public var accessed: NFS4Time
    /// Last change of the bytes.
    public var modified: NFS4Time
    /// Last change of anything.
    public var changed: NFS4Time
    /// Its handle.
    public var handle: NFS4FileHandle
    /// Who may do what, where it was asked for; nil: what the mode says.
    public var accessList: [NFS4AccessEntry]?
    /// Room, where it was asked for.
    public var space = NFS4Space()

    /// All of it.
    @inlinable public init(
        type: NFS4FileType,
        change: UInt64,
        size: UInt64,
        used: UInt64,
        fileSystem: UInt64,
        file: UInt64,
        mountedOn: UInt64,
        mode: UInt32,
        links: UInt32,
        user: UInt32,
        group: UInt32,
        major: UInt32,
        minor: UInt32,
        accessed: NFS4Time,
        modified: NFS4Time,
        changed: NFS4Time,
        handle: NFS4FileHandle
    ) {
        self.type = type
        self.change = change
        self.size = size
        self.used = used
        self.fileSystem = fileSystem
        self.file = file
        self.mountedOn = mountedOn
        self.mode = mode
        self.links = links
        self.user = user
        self.group = group
        self.major = major
        self.minor = minor
        self.accessed = accessed
        self.modified = modified
        self.changed = changed
        self.handle = handle
    }

    /// What the server says of itself with each file.
    public struct Server: Sendable {
        /// The minor version that is spoken.
        public var minor: UInt32
        /// In seconds.
        public var lease: UInt32
        /// Longest READ, in bytes.
        public var largestRead: UInt64
        /// Longest WRITE, in bytes.
        public var largestWrite: UInt64
        /// Whether access lists are shown, and taken.
        public var hasAccessLists = false

        /// A server.
        public init(minor: UInt32, lease: UInt32, largestRead: UInt64, largestWrite: UInt64) {
            self.minor = minor
            self.lease = lease
            self.largestRead = largestRead
            self.largestWrite = largestWrite
        }

        /// What can be asked for.
        public var supported: NFS4Bitmap {
            let all = NFS4Bitmap.supported(inMinor: minor)
            return hasAccessLists ? all.union(.accessList) : all
        }
    }

    /// Writes what was asked for and is supported (fattr4).
    public func encode(_ wanted: NFS4Bitmap, _ server: Server, into writer: inout XDRWriter) {
        let told = wanted.intersection(server.supported).subtracting(.writeOnly)
        told.encode(into: &writer)
        let start = writer.count
        writer.write(0 as UInt32)
        var rest = told.low
        while rest != 0 {
            let bit = rest.trailingZeroBitCount
            rest &= rest - 1
            encode(UInt32(truncatingIfNeeded: bit), server, &writer)
        }
        var high = told.high
        while high != 0 {
            let bit = high.trailingZeroBitCount
            high &= high - 1
            encode(64 + UInt32(truncatingIfNeeded: bit), server, &writer)
        }
        guard !writer.overflowed else { return }
        writer.replace(at: start, with: UInt32(writer.count - start - 4))
    }

    private func encode(_ attribute: UInt32, _ server: Server, _ writer: inout XDRWriter) {
        switch attribute {
        case 0: server.supported.encode(into: &writer)
        case 1: writer.write(type.rawValue)
        case 2: writer.write(0 as UInt32)
        case 3: writer.write(change)
        case 4: writer.write(size)
        case 5, 6: writer.write(true)
        case 7: writer.write(false)
        case 8:
            writer.write(fileSystem)
            writer.write(0 as UInt64)
        case 9: writer.write(true)
        case 10: writer.write(server.lease)
        case 11: writer.write(0 as UInt32)
        case 12:
            let list = accessList ?? NFS4PosixAccess(mode: mode).entries(isDirectory: type == .directory)
            writer.write(UInt32(list.count))
            for entry in list { entry.encode(into: &writer) }
        // ALLOW and DENY.
        case 13: writer.write(server.hasAccessLists ? 3 : 0 as UInt32)
        case 15: writer.write(true)
        case 16: writer.write(false)
        case 17, 18: writer.write(true)
        case 19: handle.encode(into: &writer)
        case 20: writer.write(file)
        case 21: writer.write(space.filesAvailable)
        case 22: writer.write(space.filesFree)
        case 23: writer.write(space.filesTotal)
        case 26: writer.write(true)
        case 27: writer.write(UInt64(Int64.max))
        case 28: writer.write(32000 as UInt32)
        case 29: writer.write(255 as UInt32)
        case 30: writer.write(server.largestRead)
        case 31: writer.write(server.largestWrite)
        case 33: writer.write(mode)
        case 34: writer.write(true)
        case 35: writer.write(links)
        case 36: Self.encode(number: user, into: &writer)
        case 37: Self.encode(number: group, into: &writer)
        case 41:
            writer.write(major)
            writer.write(minor)
        case 42: writer.write(space.available)
        case 43: writer.write(space.free)
        case 44: writer.write(space.total)
        case 45: writer.write(used)
        case 47: accessed.encode(into: &writer)
        case 51: NFS4Time(seconds: 0, nanoseconds: 1).encode(into: &writer)
        case 52: changed.encode(into: &writer)
        case 53: modified.encode(into: &writer)
        case 55: writer.write(mountedOn)
        case 75: NFS4Bitmap.exclusive(inMinor: server.minor).encode(into: &writer)
        case 77: writer.write(4096 as UInt32)
        case 82: writer.write(true)
        case 86: NFS4OpenCall.encodeUnderstood(into: &writer)
        default: break
        }
    }

    /// A user or group as digits (RFC 8881, section 5.9): names are not mapped here.
    public static func encode(number: UInt32, into writer: inout XDRWriter) {
        var digits: [12 of UInt8] = InlineArray(repeating: 0)
        var (rest, start) = (number, 12)
        repeat {
            start -= 1
            digits[start] = UInt8(0x30 + rest % 10)
            rest /= 10
        } while rest > 0
        unsafe withUnsafeBytes(of: &digits) {
            unsafe writer.writeOpaque(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: $0[start..<12])))
        }
    }
}
