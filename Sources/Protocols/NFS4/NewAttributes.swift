public import XDR

/// Attributes that a client sets (fattr4 of SETATTR, CREATE and OPEN); what is nil stays.
public struct NFS4NewAttributes: Equatable, Sendable {
    /// A new time: the server's clock, or a given one.
    public enum Time: Hashable, Sendable {
        /// The server's clock.
        case server
        /// A given time.
        case client(NFS4Time)
    }

    /// Which were sent.
    public var bitmap = NFS4Bitmap()
    /// Bytes.
    public var size: UInt64?
    /// Who may do what.
    public var accessList: [NFS4AccessEntry]?
    /// Permission bits.
    public var mode: UInt32?
    /// Takes bits away from the mode of what is made, unless its directory has a list for new files (RFC 8275).
    public var umask: UInt32?
    /// The user.
    public var user: UInt32?
    /// The group.
    public var group: UInt32?
    /// Last reading.
    public var accessed: Time?
    /// Last change.
    public var modified: Time?
    /// Last reading, of the holder of a delegation that keeps the times (RFC 9754, section 5).
    public var delegatedAccess: NFS4Time?
    /// Last change, likewise.
    public var delegatedModify: NFS4Time?

    /// Nothing to set.
    public init() {}

    /// Reads them; throws `NFS4Status` for what is not known (ATTRNOTSUPP), cannot be set (INVAL) or names nobody (BADOWNER).
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader, minor: UInt32) throws {
        bitmap = try NFS4Bitmap(decoding: &reader)
        let length = Int(try reader.readUInt32())
        let end = reader.offset + length
        guard length <= reader.remaining else { throw XDRError.truncated(offset: reader.offset) }
        // Whether access lists are taken is known with the file.
        let supported = NFS4Bitmap.supported(inMinor: minor).union(.accessList)
        guard bitmap.subtracting(supported).isEmpty else { throw Refused(status: .attributeNotSupported, end: end) }
        guard bitmap.subtracting(.settable).isEmpty else { throw Refused(status: .invalid, end: end) }
        if bitmap.contains(.size) { size = try reader.readUInt64() }
        if bitmap.contains(.accessList) { accessList = try Self.list(&reader, end) }
        if bitmap.contains(.mode) { mode = try reader.readUInt32() }
        if bitmap.contains(.owner) { user = try Self.number(&reader, end) }
        if bitmap.contains(.group) { group = try Self.number(&reader, end) }
        if bitmap.contains(.accessedSet) { accessed = try Self.time(&reader, end) }
        if bitmap.contains(.modifiedSet) { modified = try Self.time(&reader, end) }
        if bitmap.contains(.modeUmask) {
            guard mode == nil else { throw Refused(status: .invalid, end: end) }
            mode = try reader.readUInt32()
            umask = try reader.readUInt32()
        }
        if bitmap.contains(.delegatedAccess) { delegatedAccess = try Self.plainTime(&reader, end) }
        if bitmap.contains(.delegatedModify) { delegatedModify = try Self.plainTime(&reader, end) }
        guard reader.offset == end else { throw XDRError.invalid(offset: reader.offset, value: UInt32(length)) }
        if let mode, mode > 0o7777 { throw Refused(status: .invalid, end: end) }
    }

    /// Attributes that can be read but not set; `end` is where the arguments go on.
    public struct Refused: Error {
        /// Why.
        public var status: NFS4Status
        /// The offset behind the attributes.
        public var end: Int
    }

    private static func list(_ reader: inout XDRReader, _ end: Int) throws -> [NFS4AccessEntry] {
        let count = Int(try reader.readUInt32())
        guard count <= NFS4AccessEntry.limit else { throw Refused(status: .tooBig, end: end) }
        var list: [NFS4AccessEntry] = []
        for _ in 0..<count {
            do { list.append(try NFS4AccessEntry(decoding: &reader)) } catch let status as NFS4Status {
                throw Refused(status: status, end: end)
            }
        }
        return list
    }

    private static func number(_ reader: inout XDRReader, _ end: Int) throws -> UInt32 {
        let text = try reader.readBytes(limit: NFS4.opaqueLimit)
        guard !text.isEmpty else { throw Refused(status: .invalid, end: end) }
        guard let number = number(text) else { throw Refused(status: .badOwner, end: end) }
        return number
    }

    /// A user or group of digits; nil for anything else, as names are not mapped here.
    static func number(_ text: [UInt8]) -> UInt32? {
        guard !text.isEmpty, text.count <= 10, text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let value = text.reduce(0 as UInt64) { $0 * 10 + UInt64($1 - 0x30) }
        return value < UInt64(UInt32.max) ? UInt32(value) : nil
    }

    private static func time(_ reader: inout XDRReader, _ end: Int) throws -> Time {
        let start = reader.offset
        switch try reader.readUInt32() {
        case 0: return .server
        case 1: return .client(try plainTime(&reader, end))
        case let how: throw XDRError.invalid(offset: start, value: how)
        }
    }

    private static func plainTime(_ reader: inout XDRReader, _ end: Int) throws -> NFS4Time {
        let time = try NFS4Time(decoding: &reader)
        guard time.nanoseconds < 1_000_000_000 else { throw Refused(status: .invalid, end: end) }
        return time
    }
}
