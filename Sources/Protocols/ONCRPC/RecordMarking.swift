/// Records in a byte stream (RFC 5531, section 11): fragments, each behind a word with its length and a last-one bit.
public enum RecordMarking {
    /// Bytes of the word before each fragment.
    public static let markSize = 4
    /// Fragments that one record may have; every known client sends one.
    public static let fragmentLimit = 512

    /// What stands at the start of the bytes.
    public enum Step: Equatable, Sendable {
        /// Less than a record: more bytes are needed.
        case incomplete
        /// A whole record: `body` is where its bytes are, `end` where the next one begins.
        case record(body: Range<Int>, end: Int)
        /// A record of one fragment whose `length` bytes, behind its mark, do not fit into the limit.
        case long(length: Int)
        /// More fragments or bytes than a record may have: the stream cannot go on.
        case refused(String)
    }

    /// Looks for a record at `start` of the first `end` bytes of `memory`, joining its fragments in place.
    ///
    /// `limit` is how many bytes a record may have to be given whole.
    @unsafe public static func next(
        unsafely memory: UnsafeMutableRawBufferPointer,
        _ start: Int,
        _ end: Int,
        limit: Int
    ) -> Step {
        guard let (first, isOnly) = unsafe mark(memory, start, end) else { return .incomplete }
        if isOnly {
            guard first <= limit else { return .long(length: first) }
            let body = start + markSize
            return end - body >= first ? .record(body: body..<body + first, end: body + first) : .incomplete
        }
        var position = start
        var total = 0
        for _ in 0..<fragmentLimit {
            guard let (length, isLast) = unsafe mark(memory, position, end) else { return .incomplete }
            total += length
            guard total <= limit else { return .refused("a record of several fragments is longer than \(limit) bytes") }
            position += markSize + length
            guard position <= end else { return .incomplete }
            if isLast { return unsafe join(memory, start, position) }
        }
        return .refused("a record has more than \(fragmentLimit) fragments")
    }

    /// The mark of a record of `length` bytes in one fragment.
    @inlinable public static func mark(length: Int) -> UInt32 { 0x8000_0000 | UInt32(truncatingIfNeeded: length) }

    private static func mark(
        _ memory: UnsafeMutableRawBufferPointer,
        _ position: Int,
        _ end: Int
    ) -> (length: Int, isLast: Bool)? {
        guard position >= 0, end <= memory.count, end - position >= markSize else { return nil }
        let word = unsafe UInt32(bigEndian: memory.loadUnaligned(fromByteOffset: position, as: UInt32.self))
        return (Int(word & 0x7fff_ffff), word >> 31 == 1)
    }

    /// All fragments of the record in `start..<end` are there: moves their bytes together.
    private static func join(_ memory: UnsafeMutableRawBufferPointer, _ start: Int, _ end: Int) -> Step {
        let body = start + markSize
        var (position, filled) = (start, body)
        while let (length, isLast) = unsafe mark(memory, position, end) {
            let source = unsafe UnsafeRawBufferPointer(
                rebasing: memory[position + markSize..<position + markSize + length]
            )
            // The marks are overwritten on the way, so the next position is computed before.
            position += markSize + length
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[filled..<filled + length]).copyMemory(from: source)
            filled += length
            if isLast { break }
        }
        return .record(body: body..<filled, end: end)
    }
}
