import HTTP1

/// Heads that came before, with what they meant.
///
/// What a head means depends on its bytes alone, and machines that boot the same image send the same bytes: such a request
/// needs no reading, and with a file that is kept open no new reply either.
struct RequestMemo: ~Copyable {
    /// One head.
    final class Entry {
        let bytes: [UInt8]
        let head: HTTPRequestHead
        /// What was answered, if any client gets the same.
        var reply: PreparedReply?
        /// Whether replies are reported.
        var isReported = true

        init(_ bytes: [UInt8], _ head: HTTPRequestHead) {
            self.bytes = bytes
            self.head = head
        }
    }

    /// Longer heads are not kept.
    private static let longest = 1024
    private static let places = 256

    private var entries: [Entry?] = Array(repeating: nil, count: places)

    /// The entry whose bytes these are.
    func find(_ bytes: Span<UInt8>) -> Entry? {
        guard bytes.count <= Self.longest, let entry = entries[Self.place(of: bytes)] else { return nil }
        guard entry.bytes.count == bytes.count else { return nil }
        let isSame = unsafe bytes.withUnsafeBufferPointer { given in
            unsafe entry.bytes.withUnsafeBufferPointer { kept in
                unsafe given.elementsEqual(kept)
            }
        }
        return isSame ? entry : nil
    }

    /// Keeps a head without a body; another that had its place goes.
    mutating func keep(_ bytes: ArraySlice<UInt8>, _ head: HTTPRequestHead) -> Entry? {
        // Ranges are asked for once each: they would push out what comes again.
        guard bytes.count <= Self.longest, head.contentLength == 0, head.value(of: "range") == nil else { return nil }
        let copy = Array(bytes)
        let place = Self.place(of: copy.span)
        let entry = Entry(copy, head)
        entries[place] = entry
        return entry
    }

    /// Forgets all replies, so that no file is held open by them.
    func forgetReplies() { for entry in entries { entry?.reply = nil } }

    /// Any mixture does: what is found is compared.
    private static func place(of bytes: Span<UInt8>) -> Int {
        var mixed = UInt64(bytes.count)
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
        return Int(truncatingIfNeeded: mixed >> 56)
    }
}
