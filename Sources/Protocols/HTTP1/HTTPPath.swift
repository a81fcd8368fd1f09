/// The path of a request, percent-decoded part by part (RFC 3986 section 3.3).
///
/// A `..` part, an encoded `/` and encoded control characters are refused rather than resolved: no client of a boot server
/// needs them, what a path means must not depend on who decodes it, and a path in a log must stay on its line.
public struct HTTPPath: Hashable, Sendable, CustomStringConvertible {
    /// The decoded parts; empty for `/`.
    ///
    /// Empty and `.` parts are dropped.
    public let components: [String]
    /// Whether the path ended in `/`.
    public let isDirectory: Bool

    /// Decodes the path of a request target, which starts with `/` and ends before `?`.
    public init(encoded: some Collection<UInt8>) throws(HTTPRequestError) {
        var components: [String] = []
        for part in encoded.split(separator: 0x2F) {
            guard let bytes = percentDecode(part), let text = String(validating: bytes, as: UTF8.self) else {
                throw .invalidTarget
            }
            guard bytes.allSatisfy({ $0 != 0x2F && $0 >= 0x20 && $0 != 0x7F }) else { throw .invalidTarget }
            // Beyond ASCII there are more characters that drive a terminal.
            if bytes.contains(where: { $0 >= 0x80 }), text.unicodeScalars.contains(where: isControl) {
                throw .invalidTarget
            }
            if text == "." { continue }
            guard text != ".." else { throw .pathLeavesRoot }
            components.append(text)
        }
        self.components = components
        isDirectory = Array(encoded.suffix(1)) == [0x2F]
    }

    /// The decoded path, starting with `/`.
    public var description: String {
        "/" + components.joined(separator: "/") + (isDirectory && !components.isEmpty ? "/" : "")
    }
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
}

/// Replaces `%XX`; nil when two hexadecimal digits do not follow a `%`.
func percentDecode(_ bytes: some Collection<UInt8>) -> [UInt8]? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var rest = bytes.makeIterator()
    while let byte = rest.next() {
        guard byte == 0x25 else {
            decoded.append(byte)
            continue
        }
        guard let high = rest.next().flatMap(hexDigit), let low = rest.next().flatMap(hexDigit) else { return nil }
        decoded.append(high << 4 | low)
    }
    return decoded
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}
