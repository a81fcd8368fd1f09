public import XDR

/// A file handle (nfs_fh3, RFC 1813, section 2.5): up to 64 bytes that mean something to the server alone.
///
/// Kept in place, without memory of its own: a handle comes with every request.
public struct NFS3FileHandle: Sendable {
    /// NFS3_FHSIZE.
    public static let limit = 64

    /// The bytes in their order, zeros behind them.
    public var words: [8 of UInt64]
    /// How many bytes it has.
    public var count: Int

    /// A handle of these bytes, at most 64.
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount <= Self.limit else { return nil }
        var words: [8 of UInt64] = InlineArray(repeating: 0)
        unsafe withUnsafeMutableBytes(of: &words) { target in
            unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
        }
        self.words = words
        count = bytes.byteCount
    }

    /// A handle of words as they lie in memory; `count` of their 64 bytes belong to it.
    @inlinable public init(words: [8 of UInt64], count: Int) {
        self.words = words
        self.count = min(max(0, count), Self.limit)
    }

    /// Reads one from an XDR stream.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        let start = reader.offset
        let bytes = try reader.readOpaque(limit: Self.limit)
        guard let handle = Self(bytes) else {
            throw .tooLong(offset: start, count: bytes.byteCount, limit: Self.limit)
        }
        self = handle
    }

    /// Writes it to an XDR stream.
    public func encode(into writer: inout XDRWriter) {
        let words = words
        let count = count
        unsafe withUnsafeBytes(of: words) {
            unsafe writer.writeOpaque(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: $0[..<count])))
        }
    }

    /// The bytes, copied.
    public var bytes: [UInt8] {
        let words = words
        return unsafe withUnsafeBytes(of: words) { unsafe Array($0.prefix(count)) }
    }
}

extension NFS3FileHandle: Equatable {
    /// Whether both have the same bytes.
    public static func == (left: Self, right: Self) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<8 where left.words[index] != right.words[index] { return false }
        return true
    }
}
