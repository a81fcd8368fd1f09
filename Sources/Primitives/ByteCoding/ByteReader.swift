/// Reads fields one after another from borrowed bytes; every read is checked against the end.
///
/// Network byte order (big endian) is the default, as in every protocol here; the `littleEndian` names are for
/// formats that differ (PCAP, Raspberry Pi GUIDs). A reader is a cursor: it never copies the bytes it walks over,
/// and cannot outlive them.
public struct ByteReader: ~Escapable {
    @usableFromInline let bytes: RawSpan
    /// How many bytes were read so far; also the position that errors name.
    @inlinable public var offset: Int { position }
    @usableFromInline var position: Int

    /// A reader at the start of `bytes`.
    @inlinable @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) {
        self.bytes = bytes
        self.position = 0
    }

    /// A reader at the start of `bytes`.
    @inlinable @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) {
        self.bytes = unsafe bytes.bytes
        self.position = 0
    }

    /// How many bytes are left.
    @inlinable public var remaining: Int { bytes.byteCount - position }

    /// Whether everything was read.
    @inlinable public var isAtEnd: Bool { remaining == 0 }

    @inlinable @inline(__always) @_lifetime(self: copy self)
    mutating func advance(_ count: Int) throws(ByteReaderError) -> Int {
        guard count >= 0, count <= remaining else {
            throw ByteReaderError(offset: position, wanted: count, available: remaining)
        }
        let start = position
        position += count
        return start
    }

    @inlinable @inline(__always) @_lifetime(self: copy self)
    mutating func load<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws(ByteReaderError) -> T {
        let start = try advance(MemoryLayout<T>.size)
        // `advance` has checked the range, and every bit pattern is a valid integer.
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start, as: T.self)
    }

    /// One byte.
    @inlinable @_lifetime(self: copy self)
    public mutating func readUInt8() throws(ByteReaderError) -> UInt8 { try load(UInt8.self) }

    /// Two bytes, big endian.
    @inlinable @_lifetime(self: copy self)
    public mutating func readUInt16() throws(ByteReaderError) -> UInt16 { UInt16(bigEndian: try load(UInt16.self)) }

    /// Four bytes, big endian.
    @inlinable @_lifetime(self: copy self)
    public mutating func readUInt32() throws(ByteReaderError) -> UInt32 { UInt32(bigEndian: try load(UInt32.self)) }

    /// Eight bytes, big endian.
    @inlinable @_lifetime(self: copy self)
    public mutating func readUInt64() throws(ByteReaderError) -> UInt64 { UInt64(bigEndian: try load(UInt64.self)) }

    /// Two bytes, little endian.
    @inlinable @_lifetime(self: copy self)
    public mutating func readLittleEndianUInt16() throws(ByteReaderError) -> UInt16 {
        UInt16(littleEndian: try load(UInt16.self))
    }

    /// Four bytes, little endian.
    @inlinable @_lifetime(self: copy self)
    public mutating func readLittleEndianUInt32() throws(ByteReaderError) -> UInt32 {
        UInt32(littleEndian: try load(UInt32.self))
    }

    /// Eight bytes, little endian.
    @inlinable @_lifetime(self: copy self)
    public mutating func readLittleEndianUInt64() throws(ByteReaderError) -> UInt64 {
        UInt64(littleEndian: try load(UInt64.self))
    }

    /// The next `count` bytes, copied.
    @inlinable @_lifetime(self: copy self)
    public mutating func readBytes(_ count: Int) throws(ByteReaderError) -> [UInt8] {
        let start = try advance(count)
        return unsafe bytes.withUnsafeBytes { unsafe Array($0[start..<start + count]) }
    }

    /// The next `count` bytes as a view that is not copied.
    @inlinable @_lifetime(copy self)
    public mutating func readSpan(_ count: Int) throws(ByteReaderError) -> RawSpan {
        let start = try advance(count)
        return bytes.extracting(start..<start + count)
    }

    /// Everything that is left, copied.
    @inlinable @_lifetime(self: copy self)
    public mutating func readRemainingBytes() -> [UInt8] {
        (try? readBytes(remaining)) ?? []
    }

    /// Steps over `count` bytes.
    @inlinable @_lifetime(self: copy self)
    public mutating func skip(_ count: Int) throws(ByteReaderError) {
        _ = try advance(count)
    }
}

/// The bytes ended before the field did.
public struct ByteReaderError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where the field began, in bytes from the start.
    public var offset: Int
    /// How many bytes the field needs.
    public var wanted: Int
    /// How many there were.
    public var available: Int

    /// An error for a field of `wanted` bytes at `offset` of which only `available` are there.
    public init(offset: Int, wanted: Int, available: Int) {
        self.offset = offset
        self.wanted = wanted
        self.available = available
    }

    /// For a log line.
    public var description: String { "truncated at byte \(offset): \(wanted) bytes wanted, \(available) there" }
}
