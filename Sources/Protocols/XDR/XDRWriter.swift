/// Writes the values of an XDR stream into memory that the caller lends (RFC 4506).
///
/// Writing past the end writes nothing and sets `overflowed`: a reply that does not fit is found out once, at its end.
@safe public struct XDRWriter: ~Copyable {
    @usableFromInline let start: UnsafeMutableRawPointer
    /// How many bytes fit in all.
    public let capacity: Int
    /// How many bytes were written; setting it back takes bytes away.
    public var count: Int {
        @inlinable get { position }
        @inlinable set { position = min(max(0, newValue), capacity) }
    }
    @usableFromInline var position: Int
    /// Whether something did not fit.
    public var overflowed = false

    /// A writer into `memory`, which must outlive it and belongs to it alone, behind `count` bytes that are there already.
    @unsafe @inlinable
    public init(unsafely memory: UnsafeMutableRawBufferPointer, behind count: Int = 0) {
        precondition(count >= 0 && count <= memory.count)
        if let base = memory.baseAddress {
            unsafe start = base
        } else {
            // Never written to: the capacity is zero.
            unsafe start = UnsafeMutableRawPointer(bitPattern: 16).unsafelyUnwrapped
        }
        capacity = memory.count
        position = count
    }

    /// How many bytes still fit.
    @inlinable public var room: Int { capacity - position }

    @inlinable
    mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        guard room >= MemoryLayout<T>.size else {
            overflowed = true
            return
        }
        unsafe start.storeBytes(of: value, toByteOffset: position, as: T.self)
        position += MemoryLayout<T>.size
    }

    /// An unsigned integer or an enumeration's value.
    @inlinable public mutating func write(_ value: UInt32) { store(value.bigEndian) }
    /// An unsigned hyper integer.
    @inlinable public mutating func write(_ value: UInt64) { store(value.bigEndian) }
    /// A boolean.
    @inlinable public mutating func write(_ value: Bool) { write(value ? 1 : 0 as UInt32) }

    /// Opaque data of a length that both sides know, and its padding.
    @inlinable public mutating func writeFixedOpaque(_ bytes: RawSpan) {
        let count = bytes.byteCount
        guard room >= count + xdrPadding(count) else {
            overflowed = true
            return
        }
        unsafe bytes.withUnsafeBytes {
            if let base = $0.baseAddress { unsafe (start + position).copyMemory(from: base, byteCount: count) }
        }
        position += count
        pad(count)
    }

    /// Opaque data or a string: its length, the bytes, the padding.
    @inlinable public mutating func writeOpaque(_ bytes: RawSpan) {
        write(UInt32(truncatingIfNeeded: bytes.byteCount))
        writeFixedOpaque(bytes)
    }

    /// As the one that takes a span.
    public mutating func writeOpaque(_ bytes: [UInt8]) { unsafe writeOpaque(bytes.span.bytes) }

    /// The zero bytes behind `length` bytes of opaque data.
    @inlinable public mutating func pad(_ length: Int) {
        for _ in 0..<xdrPadding(length) { store(0 as UInt8) }
    }

    /// `count` integers of zero: absent optionals.
    @inlinable public mutating func writeZeros(_ count: Int) {
        for _ in 0..<count { write(0 as UInt32) }
    }

    /// Writes an integer over four bytes that were written before; for lengths known only later.
    @inlinable public mutating func replace(at offset: Int, with value: UInt32) {
        precondition(offset >= 0 && offset + 4 <= position)
        unsafe start.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }

    /// Memory behind what was written, to be filled from elsewhere (a file) and then counted with `count`.
    @unsafe @inlinable public func spare(_ length: Int) -> UnsafeMutableRawBufferPointer? {
        guard length >= 0, length <= room else { return nil }
        return unsafe UnsafeMutableRawBufferPointer(start: start + position, count: length)
    }
}
