public import XDR

/// A file handle (nfs_fh4, RFC 8881, section 3.3.2); handles of this server have at most 64 bytes.
///
/// Kept in place, without memory of its own: a handle comes with every request.
public struct NFS4FileHandle: Sendable {
    /// The longest of our own, in bytes.
    public static let ownLimit = 64

    /// The bytes in their order, zeros behind them.
    public var words: [8 of UInt64]
    /// How many bytes it has; 0 for one that cannot be ours.
    public var count: Int

    /// A handle of words as they lie in memory; `count` of their 64 bytes belong to it.
    @inlinable public init(words: [8 of UInt64], count: Int) {
        self.words = words
        self.count = min(max(0, count), Self.ownLimit)
    }

    /// Reads one from an XDR stream; one that is longer than ours is empty.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        let bytes = try reader.readOpaque(limit: NFS4.handleLimit)
        var words: [8 of UInt64] = InlineArray(repeating: 0)
        count = 0
        if bytes.byteCount <= Self.ownLimit {
            count = bytes.byteCount
            unsafe withUnsafeMutableBytes(of: &words) { target in
                unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
            }
        }
        self.words = words
    }

    /// Writes it to an XDR stream.
    public func encode(into writer: inout XDRWriter) {
        let (words, count) = (words, count)
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
