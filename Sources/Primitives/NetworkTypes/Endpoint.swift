/// An IPv4 address and a port (UDP or TCP), written `10.0.0.1:69`.
public struct Endpoint: Hashable, Sendable, LosslessStringConvertible, Codable {
    /// The address; `0.0.0.0` means every local address where a server listens.
    public var address: IPv4Address
    /// The port number.
    public var port: UInt16

    /// An endpoint from its parts.
    public init(_ address: IPv4Address, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    /// From `ADDRESS:PORT`, or `:PORT` for every local address; else nil.
    public init?(_ description: String) {
        guard let colon = description.lastIndex(of: ":"),
            let port = UInt16(description[description.index(after: colon)...])
        else { return nil }
        let host = description[..<colon]
        guard let address = host.isEmpty ? .any : IPv4Address(host) else { return nil }
        self.init(address, port)
    }

    /// `ADDRESS:PORT`.
    public var description: String { "\(address):\(port)" }

    /// From its text form.
    public init(from decoder: any Decoder) throws {
        self = try decodeText(from: decoder, "endpoint such as 10.0.0.1:69")
    }
    /// As its text form.
    public func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}
