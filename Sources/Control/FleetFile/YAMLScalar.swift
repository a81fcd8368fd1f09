/// Writes text so that every YAML reader reads the same text back.
enum YAMLScalar {
    /// Words that readers of YAML 1.1 take for something else than text.
    private static let words: Set<String> = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]

    /// The text bare where that is safe, else in double quotes.
    static func written(_ text: String) -> String { isPlain(text) ? text : quoted(text) }

    /// Bare text: letters, digits and `_ . / @ = + -`; `:` only inside a word, and neither a number, a word of
    /// another meaning, nor `52:54:00:…`, which YAML 1.1 reads as a number in base 60.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, !words.contains(text.lowercased()) else { return false }
        let bytes = text.utf8
        let isWord = bytes.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "@"), UInt8(ascii: "="),
                UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"):
                true
            default: false
            }
        }
        guard isWord, bytes.last != UInt8(ascii: ":") else { return false }
        switch first {
        case 0x30...0x39:
            // Addresses, ranges and lengths of time are bare; anything that a reader may take for a number is not.
            let dots = bytes.count { $0 == UInt8(ascii: ".") }
            let isTime = LeaseDuration(text) != nil && !(0x30...0x39).contains(bytes.last ?? 0x30)
            return dots >= 3 && !bytes.contains(UInt8(ascii: ":")) || isTime
        case 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "/"), UInt8(ascii: "_"): return true
        default: return false
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            default:
                let isHidden =
                    scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
                    || scalar.value == 0x2028 || scalar.value == 0x2029 || scalar.value == 0xfeff
                if isHidden {
                    let digits = String(scalar.value, radix: 16)
                    quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    quoted.unicodeScalars.append(scalar)
                }
            }
        }
        return quoted + "\""
    }
}
