/// Which bytes of a content a Range field asks for (RFC 9110 section 14).
public enum HTTPRange: Equatable, Sendable {
    /// All of it: no range, one that is not understood, or several, which a server may answer with the whole.
    case whole
    /// One range within the content.
    case part(Range<UInt64>)
    /// None of it exists.
    case unsatisfiable

    /// Reads the value of a Range field for a content of `size` bytes.
    public init(_ value: String?, size: UInt64) {
        self = .whole
        guard let value, let (first, last) = Self.numbers(value) else { return }
        switch (first, last) {
        case (nil, nil): return
        case (nil, let suffix?):
            guard suffix > 0, size > 0 else {
                self = .unsatisfiable
                return
            }
            self = .part(size - min(suffix, size)..<size)
        case (let start?, let end):
            if let end, end < start { return }
            guard start < size else {
                self = .unsatisfiable
                return
            }
            self = .part(start..<min(end ?? .max, size - 1) + 1)
        }
    }

    /// The numbers around the dash of one range in bytes, nil where there is none; too large ones count as the largest.
    ///
    /// Nothing for several ranges, another unit, or what is no range.
    private static func numbers(_ value: String) -> (first: UInt64?, last: UInt64?)? {
        var numbers: (UInt64?, UInt64?) = (nil, nil)
        var isBehindDash = false
        var position = 0
        for byte in value.utf8 {
            defer { position += 1 }
            if position < Self.unit.count {
                // Letters in either case; `=` has the bit of lower case already.
                guard byte | 0x20 == Self.unit[position] else { return nil }
                continue
            }
            switch byte {
            case 0x20, 0x09: continue
            case 0x2D:
                guard !isBehindDash else { return nil }
                isBehindDash = true
            case 0x30...0x39:
                let number = isBehindDash ? numbers.1 : numbers.0
                let (tens, isLarge) = (number ?? 0).multipliedReportingOverflow(by: 10)
                let (sum, isLarger) = tens.addingReportingOverflow(UInt64(byte - 0x30))
                let next = isLarge || isLarger || number == .max ? .max : sum
                if isBehindDash { numbers.1 = next } else { numbers.0 = next }
            default: return nil
            }
        }
        return isBehindDash ? numbers : nil
    }

    private static let unit = Array("bytes=".utf8)
}
