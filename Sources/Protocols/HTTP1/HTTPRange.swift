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
        guard let value, value.lowercased().hasPrefix("bytes=") else { return }
        let spec = value.dropFirst(6).filter { $0 != " " && $0 != "\t" }
        let parts = spec.split(separator: "-", omittingEmptySubsequences: false)
        guard !spec.contains(","), parts.count == 2 else { return }
        guard let first = number(parts[0]), let last = number(parts[1]) else { return }
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
}

/// Nothing for no digits, no outer value for what is no number; too large ones count as the largest.
private func number(_ text: some StringProtocol) -> UInt64?? {
    guard !text.isEmpty else { return .some(nil) }
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return .some(UInt64(text) ?? .max)
}
