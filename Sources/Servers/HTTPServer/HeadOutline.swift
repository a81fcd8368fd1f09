import CLinux
import HTTP1

/// Where a head ends and which bytes it asks for, as far as that shows without reading it.
struct HeadOutline {
    /// How many bytes the head takes, its empty line included.
    let length: Int
    /// `FIRST-LAST` of a line `Range: bytes=FIRST-LAST`, and where it stands; nil for any other form.
    ///
    /// Whether the head is good, and has no second Range field, is for the parser to say.
    let range: (place: Range<Int>, first: UInt64, last: UInt64)?

    private static let lineFeed: UInt8 = 0x0A
    private static let carriageReturn: UInt8 = 0x0D
    private static let rangeField: StaticString = "Range: bytes="

    /// Looks at the head at the start of `bytes`; nil when it has not arrived whole.
    ///
    /// - Parameter searched: how many bytes an earlier look has seen in vain; ranges are found without such a look alone.
    init?(_ bytes: Span<UInt8>, searched: Int = 0) {
        var found: (place: Range<Int>, first: UInt64, last: UInt64)?
        let start = max(0, searched - 3)
        var line = start
        while let end = Self.endOfLine(bytes, from: line) {
            if end > start, bytes[end - 1] == Self.carriageReturn, end + 2 < bytes.count,
                bytes[end + 1] == Self.carriageReturn, bytes[end + 2] == Self.lineFeed
            {
                if searched == 0, found == nil { found = Self.range(bytes, line, end - 1) }
                length = end + 3
                range = found
                return
            }
            if searched == 0, found == nil, line > 0 { found = Self.range(bytes, line, end - 1) }
            line = end + 1
        }
        return nil
    }

    private static func endOfLine(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        guard start < bytes.count else { return nil }
        return unsafe bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress,
                let found = unsafe memchr(base + start, CInt(lineFeed), raw.count - start)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }

    private static func range(
        _ bytes: Span<UInt8>,
        _ start: Int,
        _ end: Int
    ) -> (place: Range<Int>, first: UInt64, last: UInt64)? {
        let numbers = start + rangeField.utf8CodeUnitCount
        guard numbers < end, bytes[start] == 0x52 else { return nil }
        let isRange = unsafe bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { return false }
            return unsafe memcmp(base + start, rangeField.utf8Start, rangeField.utf8CodeUnitCount) == 0
        }
        guard isRange else { return nil }
        var position = numbers
        guard let first = number(bytes, &position, end), position < end, bytes[position] == 0x2D else { return nil }
        position += 1
        guard let last = number(bytes, &position, end), position == end else { return nil }
        return (numbers..<end, first, last)
    }

    /// One to 18 digits.
    private static func number(_ bytes: Span<UInt8>, _ position: inout Int, _ end: Int) -> UInt64? {
        let start = position
        var number: UInt64 = 0
        while position < end, (0x30...0x39).contains(bytes[position]), position - start < 18 {
            number = number * 10 + UInt64(bytes[position] - 0x30)
            position += 1
        }
        return position > start ? number : nil
    }
}
