/// Appends fields to an array of bytes, in network byte order unless the name says otherwise.
public struct ByteWriter: Sendable {
    /// What was written so far.
    public private(set) var bytes: [UInt8]

    /// An empty writer with room for `capacity` bytes.
    public init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// How many bytes were written.
    public var count: Int { bytes.count }

    @inlinable
    mutating func store<T: FixedWidthInteger>(_ value: T) {
        unsafe withUnsafeBytes(of: value) { unsafe append($0) }
    }

    @usableFromInline
    mutating func append(_ raw: UnsafeRawBufferPointer) {
        unsafe bytes.append(contentsOf: raw)
    }

    /// Appends one byte.
    @inlinable public mutating func writeUInt8(_ value: UInt8) { store(value) }
    /// Appends two bytes, big endian.
    @inlinable public mutating func writeUInt16(_ value: UInt16) { store(value.bigEndian) }
    /// Appends four bytes, big endian.
    @inlinable public mutating func writeUInt32(_ value: UInt32) { store(value.bigEndian) }
    /// Appends eight bytes, big endian.
    @inlinable public mutating func writeUInt64(_ value: UInt64) { store(value.bigEndian) }
    /// Appends two bytes, little endian.
    @inlinable public mutating func writeLittleEndianUInt16(_ value: UInt16) { store(value.littleEndian) }
    /// Appends four bytes, little endian.
    @inlinable public mutating func writeLittleEndianUInt32(_ value: UInt32) { store(value.littleEndian) }
    /// Appends eight bytes, little endian.
    @inlinable public mutating func writeLittleEndianUInt64(_ value: UInt64) { store(value.littleEndian) }

    /// Appends bytes as they are.
    public mutating func writeBytes(_ values: some Sequence<UInt8>) { bytes.append(contentsOf: values) }

    /// Appends the UTF-8 bytes of `text`, without an end mark.
    public mutating func writeText(_ text: some StringProtocol) { bytes.append(contentsOf: text.utf8) }

    /// Appends `count` zero bytes; nothing when `count` is not positive.
    public mutating func writeZeros(_ count: Int) {
        guard count > 0 else { return }
        bytes.append(contentsOf: repeatElement(0, count: count))
    }

    /// Appends zero bytes until `count` is a multiple of `alignment` (positive).
    public mutating func pad(toMultipleOf alignment: Int) {
        let over = bytes.count % alignment
        if over != 0 { writeZeros(alignment - over) }
    }

    /// Takes back everything after the first `count` bytes; nothing when there are not so many.
    public mutating func truncate(to count: Int) {
        if count >= 0, count < bytes.count { bytes.removeLast(bytes.count - count) }
    }

    /// Overwrites two bytes at `offset`, big endian; for lengths known only later.
    ///
    /// The caller's mistake, not the network's, when `offset` lies outside what was written: traps.
    public mutating func replaceUInt16(at offset: Int, with value: UInt16) {
        bytes[offset] = UInt8(value >> 8)
        bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
    }

    /// Overwrites four bytes at `offset`, big endian; for lengths known only later.
    ///
    /// Traps as `replaceUInt16` does.
    public mutating func replaceUInt32(at offset: Int, with value: UInt32) {
        replaceUInt16(at: offset, with: UInt16(value >> 16))
        replaceUInt16(at: offset + 2, with: UInt16(truncatingIfNeeded: value))
    }
}
