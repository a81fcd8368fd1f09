public import XDR

/// Attributes to set (sattr3, RFC 1813, section 2.6); what is nil stays.
public struct NFS3NewAttributes: Hashable, Sendable {
    /// A new time: the server's clock, or one that the client names.
    public enum Time: Hashable, Sendable {
        /// SET_TO_SERVER_TIME.
        case server
        /// SET_TO_CLIENT_TIME.
        case client(NFS3Time)
    }

    /// Permission bits.
    public var mode: UInt32?
    /// Owner.
    public var user: UInt32?
    /// Group.
    public var group: UInt32?
    /// Size in bytes.
    public var size: UInt64?
    /// Last access.
    public var accessed: Time?
    /// Last change of the contents.
    public var modified: Time?

    /// Nothing to set.
    public init() {}

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        if try reader.readBool() { mode = try reader.readUInt32() }
        if try reader.readBool() { user = try reader.readUInt32() }
        if try reader.readBool() { group = try reader.readUInt32() }
        if try reader.readBool() { size = try reader.readUInt64() }
        accessed = try Self.time(&reader)
        modified = try Self.time(&reader)
    }

    @_lifetime(reader: copy reader)
    private static func time(_ reader: inout XDRReader) throws(XDRError) -> Time? {
        let start = reader.offset
        switch try reader.readUInt32() {
        case 0: return nil
        case 1: return .server
        case 2: return .client(try NFS3Time(decoding: &reader))
        case let value: throw .invalid(offset: start, value: value)
        }
    }

    /// Writes them, as a client does.
    public func encode(into writer: inout XDRWriter) {
        for value in [mode, user, group] {
            writer.write(value != nil)
            if let value { writer.write(value) }
        }
        writer.write(size != nil)
        if let size { writer.write(size) }
        for time in [accessed, modified] {
            switch time {
            case nil: writer.write(0 as UInt32)
            case .server: writer.write(1 as UInt32)
            case .client(let time):
                writer.write(2 as UInt32)
                time.encode(into: &writer)
            }
        }
    }
}

/// The arguments of SETATTR (RFC 1813, section 3.3.2).
public struct NFS3SetAttributesCall: Equatable, Sendable {
    /// Which file.
    public var handle: NFS3FileHandle
    /// What to set.
    public var attributes: NFS3NewAttributes
    /// The file must have been changed last at this time (sattrguard3).
    public var guardTime: NFS3Time?

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        handle = try NFS3FileHandle(decoding: &reader)
        attributes = try NFS3NewAttributes(decoding: &reader)
        if try reader.readBool() { guardTime = try NFS3Time(decoding: &reader) }
    }
}
