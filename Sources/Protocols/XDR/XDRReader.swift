public import ByteCoding

/// Reads the values of an XDR stream one after another (RFC 4506).
///
/// Every value begins at a multiple of four bytes; nothing is copied unless the name says so.
public struct XDRReader: ~Escapable {
    @usableFromInline var reader: ByteReader

    /// A reader at the start of `bytes`.
    @inlinable @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) { reader = ByteReader(bytes) }

    /// How many bytes were read so far; also the position that errors name.
    @inlinable public var offset: Int { reader.offset }
    /// How many bytes are left.
    @inlinable public var remaining: Int { reader.remaining }

    /// An unsigned integer (RFC 4506, section 4.2).
    @inlinable @_lifetime(self: copy self)
    public mutating func readUInt32() throws(XDRError) -> UInt32 {
        do { return try reader.readUInt32() } catch { throw XDRError(error) }
    }

    /// An unsigned hyper integer (section 4.5).
    @inlinable @_lifetime(self: copy self)
    public mutating func readUInt64() throws(XDRError) -> UInt64 {
        do { return try reader.readUInt64() } catch { throw XDRError(error) }
    }

    /// A boolean (section 4.4); anything but 0 and 1 is an error.
    @inlinable @_lifetime(self: copy self)
    public mutating func readBool() throws(XDRError) -> Bool {
        let start = offset
        switch try readUInt32() {
        case 0: return false
        case 1: return true
        case let value: throw XDRError.invalid(offset: start, value: value)
        }
    }

    /// Opaque data of a length that both sides know (section 4.9), without its padding.
    @inlinable @_lifetime(copy self)
    public mutating func readFixedOpaque(_ count: Int) throws(XDRError) -> RawSpan {
        do {
            let bytes = try reader.readSpan(count)
            try reader.skip(xdrPadding(count))
            return bytes
        } catch { throw XDRError(error) }
    }

    /// Opaque data or a string preceded by its length (sections 4.10, 4.11), of at most `limit` bytes.
    @inlinable @_lifetime(copy self)
    public mutating func readOpaque(limit: Int) throws(XDRError) -> RawSpan {
        let start = offset
        let count = Int(try readUInt32())
        guard count <= limit else { throw XDRError.tooLong(offset: start, count: count, limit: limit) }
        return try readFixedOpaque(count)
    }

    /// As `readOpaque`, copied.
    @inlinable @_lifetime(self: copy self)
    public mutating func readBytes(limit: Int) throws(XDRError) -> [UInt8] {
        let bytes = try readOpaque(limit: limit)
        return unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    }
}

/// How many zero bytes follow `count` bytes of opaque data.
@inlinable public func xdrPadding(_ count: Int) -> Int { -count & 3 }

/// Bytes that are not the value they should be.
public enum XDRError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes ended before the value did.
    case truncated(offset: Int)
    /// Variable-length data is longer than its limit.
    case tooLong(offset: Int, count: Int, limit: Int)
    /// A value that its type does not have.
    case invalid(offset: Int, value: UInt32)

    @usableFromInline init(_ error: ByteReaderError) { self = .truncated(offset: error.offset) }

    /// For a log line.
    public var description: String {
        switch self {
        case .truncated(let offset): "truncated at byte \(offset)"
        case .tooLong(let offset, let count, let limit): "\(count) bytes at byte \(offset), at most \(limit) allowed"
        case .invalid(let offset, let value): "\(value) at byte \(offset) has no meaning"
        }
    }
}
