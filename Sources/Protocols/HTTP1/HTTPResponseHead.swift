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
        bytes.append(contentsOf: "HTTP/1.1 ".utf8)
        bytes.append(contentsOf: String(status.rawValue).utf8)
        bytes.append(0x20)
        bytes.append(contentsOf: status.reason.utf8)
        bytes.append(contentsOf: "\r\n".utf8)
        for field in fields {
            Self.append(field.name, to: &bytes)
            bytes.append(contentsOf: ": ".utf8)
            Self.append(field.value, to: &bytes)
            bytes.append(contentsOf: "\r\n".utf8)
        }
        bytes.append(contentsOf: "\r\n".utf8)
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        for index in start..<bytes.count { bytes[index] = harmless(bytes[index]) }
    }

    /// The head with its empty line.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        write(to: &bytes)
        return bytes
    }
}

private func harmless(_ byte: UInt8) -> UInt8 { byte < 0x20 || byte == 0x7F ? 0x20 : byte }

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
