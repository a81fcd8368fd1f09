public import ByteCoding

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
    public func write(to writer: inout ByteWriter) {
        writer.writeText("HTTP/1.1 ")
        writer.writeText(String(status.rawValue))
        writer.writeUInt8(0x20)
        writer.writeText(status.reason)
        writer.writeText("\r\n")
        for field in fields {
            writer.writeBytes(field.name.utf8.lazy.map(harmless))
            writer.writeText(": ")
            writer.writeBytes(field.value.utf8.lazy.map(harmless))
            writer.writeText("\r\n")
        }
        writer.writeText("\r\n")
    }

    /// The head with its empty line.
    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 256)
        write(to: &writer)
        return writer.bytes
    }
}

private func harmless(_ byte: UInt8) -> UInt8 { byte < 0x20 || byte == 0x7F ? 0x20 : byte }

/// A body whose length is not known when it begins (RFC 9112 section 7.1).
public enum HTTPChunk {
    /// One chunk; nothing for no bytes, which would end the body.
    public static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        guard !bytes.isEmpty else { return [] }
        var writer = ByteWriter(capacity: bytes.count + 16)
        writer.writeText(String(bytes.count, radix: 16))
        writer.writeText("\r\n")
        writer.writeBytes(bytes)
        writer.writeText("\r\n")
        return writer.bytes
    }

    /// The end of the body.
    public static let end: [UInt8] = Array("0\r\n\r\n".utf8)
}
