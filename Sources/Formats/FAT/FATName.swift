/// Names in FAT: eight letters, a dot and three in every entry, the name as people write it in entries before it.
enum FATName {
    /// Whether a name can stand in a directory.
    static func isValid(_ name: String) -> Bool {
        !name.isEmpty && name.utf16.count <= 255 && name != "." && name != ".." && !name.hasSuffix(".")
            && !name.hasSuffix(" ")
            && name.unicodeScalars.allSatisfy {
                $0.value >= 0x20 && $0.value != 0x7f && !"\"*/:<>?\\|".unicodeScalars.contains($0)
            }
    }

    /// ASCII text with blanks up to a length.
    static func padded(_ text: String, _ length: Int) -> [UInt8] {
        let bytes = text.utf8.prefix(length).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "_") }
        return bytes + [UInt8](repeating: 0x20, count: length - bytes.count)
    }

    /// The 11 bytes of a short name that nobody in the directory has yet.
    static func short(_ name: String, taken: inout Set<[UInt8]>) -> [UInt8] {
        let dot = name.lastIndex(of: ".")
        let base = cleaned(dot.map { String(name[..<$0]) } ?? name)
        let ending = padded(cleaned(dot.map { String(name[name.index(after: $0)...]) } ?? ""), 3)
        var candidate = padded(base, 8) + ending
        var number = 1
        let fits = base.utf8.count <= 8
        while !fits && number == 1 || taken.contains(candidate) {
            let tail = "~\(number)"
            candidate = padded(String(base.prefix(8 - tail.utf8.count)) + tail, 8) + ending
            number += 1
        }
        taken.insert(candidate)
        return candidate
    }

    private static func cleaned(_ text: String) -> String {
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_$~!#%&'()@^`{}".unicodeScalars)
        let scalars = text.uppercased().unicodeScalars.filter { $0 != " " && $0 != "." }
        let kept = String(String.UnicodeScalarView(scalars.map { allowed.contains($0) ? $0 : "_" }))
        return kept.isEmpty && !text.isEmpty ? "_" : kept
    }

    /// How many entries a name takes: its own, and one for each 13 characters.
    static func entryCount(_ name: String) -> Int { 1 + (name.utf16.count + 12) / 13 }

    /// The entries with the long name, the last part first.
    static func longEntries(_ name: String, short: [UInt8]) -> [UInt8] {
        let sum = short.reduce(UInt8(0)) { ($0 >> 1 | $0 << 7) &+ $1 }
        var units = Array(name.utf16)
        let count = (units.count + 12) / 13
        if units.count % 13 != 0 { units.append(0) }
        units += [UInt16](repeating: 0xffff, count: count * 13 - units.count)
        return (0..<count).reversed().flatMap { part -> [UInt8] in
            let order = UInt8(part + 1) | (part == count - 1 ? 0x40 : 0)
            let text = units[part * 13..<part * 13 + 13].flatMap(little)
            return [order] + text[..<10] + [0x0f, 0, sum] + text[10..<22] + little(UInt16(0)) + text[22...]
        }
    }
}
