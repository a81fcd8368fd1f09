import ByteCoding

/// Reads cpio archives in the "newc" form, also several one after another with zeros between them.
public enum CPIOReader {
    static let trailer = "TRAILER!!!"
    private static let headerLength = 110

    /// All entries of `bytes`, in order; the end marks are left out.
    ///
    /// - Throws: `CPIOError` with the offset of what is wrong.
    public static func entries(of bytes: Span<UInt8>) throws(CPIOError) -> [CPIOEntry] {
        var entries: [CPIOEntry] = []
        var offset = 0
        var isEnded = true
        while offset < bytes.count {
            if isEnded && bytes[offset] == 0 {
                offset += 1
                continue
            }
            let start = offset
            guard let entry = try entry(of: bytes, at: &offset) else {
                isEnded = true
                continue
            }
            guard offset > start else { throw .notNewc(offset: start) }
            isEnded = false
            entries.append(entry)
        }
        guard isEnded else { throw .truncated(offset: offset) }
        return entries
    }

    /// The entry at `offset`, which moves behind it; nil for the end mark.
    private static func entry(of bytes: Span<UInt8>, at offset: inout Int) throws(CPIOError) -> CPIOEntry? {
        let start = offset
        guard bytes.count - start >= headerLength else { throw .truncated(offset: start) }
        let magic: [UInt8] = Array("07070".utf8)
        for index in magic.indices where bytes[start + index] != magic[index] { throw .notNewc(offset: start) }
        guard bytes[start + 5] == UInt8(ascii: "1") || bytes[start + 5] == UInt8(ascii: "2") else {
            throw .notNewc(offset: start)
        }
        var fields: [UInt32] = []
        for index in 0..<13 {
            var value: UInt32 = 0
            for position in (start + 6 + index * 8)..<(start + 14 + index * 8) {
                guard let digit = Character(UnicodeScalar(bytes[position])).hexDigitValue else {
                    throw .notNewc(offset: position)
                }
                value = value << 4 | UInt32(digit)
            }
            fields.append(value)
        }
        let size = Int(fields[6])
        let nameLength = Int(fields[11])
        guard nameLength > 1, nameLength <= CPIOError.longestPath else { throw .notNewc(offset: start + 94) }
        let name = start + headerLength
        let data = align(name + nameLength)
        guard data <= bytes.count, size <= bytes.count - data else { throw .truncated(offset: start) }
        let path = text(bytes, name..<(name + nameLength - 1))
        guard bytes[name + nameLength - 1] == 0, !path.utf8.contains(0) else { throw .badPath(path) }
        offset = min(align(data + size), bytes.count)
        if path == trailer { return nil }
        var entry = CPIOEntry(path: path, kind: .init(rawValue: fields[1]), permissions: fields[1])
        entry.owner = fields[2]
        entry.group = fields[3]
        entry.modified = fields[5]
        entry.deviceMajor = fields[9]
        entry.deviceMinor = fields[10]
        entry.data = array(bytes, data..<(data + size))
        return entry
    }

    private static func align(_ offset: Int) -> Int { (offset + 3) & ~3 }

    private static func array(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            for index in range { unsafe buffer.initializeElement(at: index - range.lowerBound, to: bytes[index]) }
            count = range.count
        }
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: array(bytes, range), as: UTF8.self)
    }
}
