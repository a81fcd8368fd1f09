import CLinux
import HTTP1

/// Heads that came before, with what they meant.
///
/// What a head means depends on its bytes alone, and machines that boot the same image send the same bytes: such a request
/// needs no reading, and with a file that is kept open no new reply either. Heads that differ in the numbers of their range
/// alone are one.
struct RequestMemo: ~Copyable {
    /// One head.
    final class Entry {
        /// Without the numbers of a range.
        let bytes: [UInt8]
        /// Where the numbers of a range were; nil in a head without one.
        let gap: Int?
        private let first: HTTPRequestHead
        /// What was answered, if any client gets the same.
        var reply: PreparedReply?
        /// What a range of it is answered with, if any client gets the same.
        var part: PartialReply?
        /// Whether replies are reported.
        var isReported = true

        init(_ bytes: [UInt8], gap: Int?, _ head: HTTPRequestHead) {
            self.bytes = bytes
            self.gap = gap
            first = head
        }

        /// The head, with the range that is asked for now.
        func head(_ outline: HeadOutline) -> HTTPRequestHead {
            guard let range = outline.range else { return first }
            var head = first
            for index in head.fields.indices where head.fields[index].name == "range" {
                head.fields[index].value = "bytes=\(range.first)-\(range.last)"
            }
            return head
        }
    }

    /// Longer heads are not kept.
    private static let longest = 1024
    private static let places = 256

    private var entries: [Entry?] = Array(repeating: nil, count: places)

    /// The entry of the head that begins these bytes, whatever the numbers of its range.
    func find(_ bytes: Span<UInt8>, _ outline: HeadOutline) -> Entry? {
        guard outline.length <= Self.longest else { return nil }
        let before = bytes.extracting(0..<(outline.range?.place.lowerBound ?? outline.length))
        let behind = bytes.extracting((outline.range?.place.upperBound ?? outline.length)..<outline.length)
        guard let entry = entries[Self.place(before, behind)], entry.gap == outline.range?.place.lowerBound,
            entry.bytes.count == before.count + behind.count
        else { return nil }
        let kept = entry.bytes
        let startsSame = Self.isSame(kept.span.extracting(0..<before.count), before)
        let endsSame = Self.isSame(kept.span.extracting(before.count..<kept.count), behind)
        return startsSame && endsSame ? entry : nil
    }

    /// Keeps a head without a body; another that had its place goes.
    mutating func keep(_ bytes: ArraySlice<UInt8>, _ outline: HeadOutline?, _ head: HTTPRequestHead) -> Entry? {
        guard let outline, outline.length == bytes.count, bytes.count <= Self.longest, head.contentLength == 0 else {
            return nil
        }
        let ranges = head.fields.count { $0.name == "range" }
        guard let range = outline.range else {
            // Ranges of other forms are asked for once each: they would push out what comes again.
            return ranges > 0 ? nil : keep(Array(bytes), gap: nil, head)
        }
        // Conditions would make the answer depend on more than the range.
        guard ranges == 1, !head.fields.contains(where: { $0.name.hasPrefix("if-") }) else { return nil }
        let parts = Array(bytes[..<range.place.lowerBound] + bytes[range.place.upperBound...])
        return keep(parts, gap: range.place.lowerBound, head)
    }

    private mutating func keep(_ bytes: [UInt8], gap: Int?, _ head: HTTPRequestHead) -> Entry {
        let entry = Entry(bytes, gap: gap, head)
        let end = gap ?? bytes.count
        entries[Self.place(bytes.span.extracting(0..<end), bytes.span.extracting(end..<bytes.count))] = entry
        return entry
    }

    /// Forgets all replies, so that no file is held open by them.
    func forgetReplies() {
        for entry in entries {
            entry?.reply = nil
            entry?.part = nil
        }
    }

    private static func isSame(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        return unsafe one.withUnsafeBytes { one in
            unsafe other.withUnsafeBytes { other in
                guard let first = one.baseAddress, let second = other.baseAddress else { return true }
                return unsafe memcmp(first, second, one.count) == 0
            }
        }
    }

    /// Any mixture does: what is found is compared.
    private static func place(_ before: Span<UInt8>, _ behind: Span<UInt8>) -> Int {
        Int(truncatingIfNeeded: mix(behind, into: mix(before, into: 0)) >> 56)
    }

    private static func mix(_ bytes: Span<UInt8>, into start: UInt64) -> UInt64 {
        var mixed = start ^ UInt64(bytes.count)
        unsafe bytes.withUnsafeBytes { raw in
            var offset = 0
            while offset + 8 <= raw.count {
                let word = unsafe raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                mixed = (mixed ^ word) &* 0x9E37_79B9_7F4A_7C15
                mixed ^= mixed >> 29
                offset += 8
            }
            while offset < raw.count {
                let byte = unsafe raw[offset]
                mixed = (mixed ^ UInt64(byte)) &* 0x9E37_79B9_7F4A_7C15
                offset += 1
            }
        }
        return mixed
    }
}
