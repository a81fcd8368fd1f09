public import XDR

/// A set of attributes (bitmap4, RFC 8881, section 3.3.7): three words, more have no meaning yet.
public struct NFS4Bitmap: Hashable, Sendable {
    /// Attributes 0 to 63.
    public var low: UInt64
    /// Attributes 64 to 95.
    public var high: UInt32

    /// A set of words.
    @inlinable public init(low: UInt64 = 0, high: UInt32 = 0) {
        self.low = low
        self.high = high
    }

    /// Reads one; what has no meaning yet is skipped.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        self.init()
        let start = reader.offset
        let count = Int(try reader.readUInt32())
        guard count <= NFS4.bitmapLimit else { throw .tooLong(offset: start, count: count, limit: NFS4.bitmapLimit) }
        for index in 0..<count {
            let word = try reader.readUInt32()
            switch index {
            case 0: low |= UInt64(word)
            case 1: low |= UInt64(word) << 32
            case 2: high = word
            default: continue
            }
        }
    }

    /// Writes it in as few words as hold it.
    public func encode(into writer: inout XDRWriter) {
        let count: UInt32 = high != 0 ? 3 : low >> 32 != 0 ? 2 : low != 0 ? 1 : 0
        writer.write(count)
        if count > 0 { writer.write(UInt32(truncatingIfNeeded: low)) }
        if count > 1 { writer.write(UInt32(truncatingIfNeeded: low >> 32)) }
        if count > 2 { writer.write(high) }
    }

    /// Whether there is nothing in it.
    @inlinable public var isEmpty: Bool { low == 0 && high == 0 }

    /// Whether an attribute is in it.
    @inlinable public func contains(_ attribute: NFS4Attribute) -> Bool {
        let bit = attribute.rawValue
        return bit < 64 ? low >> UInt64(bit) & 1 != 0 : bit < 96 && high >> (bit - 64) & 1 != 0
    }

    /// Adds an attribute.
    public mutating func insert(_ attribute: NFS4Attribute) {
        let bit = attribute.rawValue
        if bit < 64 { low |= 1 << UInt64(bit) } else if bit < 96 { high |= 1 << (bit - 64) }
    }

    /// What is in both.
    @inlinable public func intersection(_ other: Self) -> Self { Self(low: low & other.low, high: high & other.high) }

    /// What is in either.
    @inlinable public func union(_ other: Self) -> Self { Self(low: low | other.low, high: high | other.high) }

    /// What is in this one alone.
    @inlinable public func subtracting(_ other: Self) -> Self { Self(low: low & ~other.low, high: high & ~other.high) }
}
