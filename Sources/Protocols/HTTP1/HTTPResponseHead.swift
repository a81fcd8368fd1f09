/// The status line and header fields of a reply (RFC 9112 section 4).
public struct HTTPResponseHead: Hashable, Sendable {
    /// The outcome.
    public var status: HTTPStatus
    /// The fields in the order they are sent.
    public var fields: [HTTPField]

    /// A head from its parts.
    public init(_ status: HTTPStatus, _ fields: [HTTPField] = []) {
        self.status = status
        self.fields = fields
    }

    /// Appends the head with its empty line.
    ///
    /// Control characters in names and values become blanks: what a handler took from a request must not begin a new line.
    public func write(to bytes: inout [UInt8]) {
        Self.writeStatus(status, to: &bytes)
        for field in fields { Self.writeField(field.name, field.value, to: &bytes) }
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    /// Appends a status line, for a head that is written piece by piece.
    public static func writeStatus(_ status: HTTPStatus, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "HTTP/1.1 ".utf8)
        writeDecimal(UInt64(clamping: status.rawValue), to: &bytes)
        bytes.append(0x20)
        bytes.append(contentsOf: status.reason.utf8)
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    /// Appends one field, with control characters as blanks.
    public static func writeField(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        append(name, to: &bytes)
        bytes.append(0x3A)
        bytes.append(0x20)
        append(value, to: &bytes)
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    /// Appends a number in decimal digits.
    public static func writeDecimal(_ number: UInt64, to bytes: inout [UInt8]) {
        let start = bytes.count
        var rest = number
        repeat {
            bytes.append(UInt8(0x30 + rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        for index in start..<bytes.count where bytes[index] < 0x20 || bytes[index] == 0x7F { bytes[index] = 0x20 }
    }

    /// The head with its empty line.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        write(to: &bytes)
        return bytes
    }
}

/// A body whose length is not known when it begins (RFC 9112 section 7.1).
public enum HTTPChunk {
    /// One chunk; nothing for no bytes, which would end the body.
    public static func encode(_ bytes: [UInt8]) -> [UInt8] {
        guard !bytes.isEmpty else { return [] }
        return Array((String(bytes.count, radix: 16) + "\r\n").utf8) + bytes + [0x0D, 0x0A]
    }

    /// The end of the body.
    public static let end: [UInt8] = Array("0\r\n\r\n".utf8)
}
