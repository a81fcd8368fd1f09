/// What kind of message this is (option 53, RFC 2132 section 9.6).
public struct DHCPMessageType: RawRepresentable, Hashable, Sendable {
    /// The byte on the wire.
    public var rawValue: UInt8
    /// From the byte on the wire; others are kept.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A client looks for servers.
    public static let discover = DHCPMessageType(rawValue: 1)
    /// A server offers.
    public static let offer = DHCPMessageType(rawValue: 2)
    /// A client takes an offer, or wants to keep its address.
    public static let request = DHCPMessageType(rawValue: 3)
    /// A client found its address in use by another.
    public static let decline = DHCPMessageType(rawValue: 4)
    /// The server agrees.
    public static let ack = DHCPMessageType(rawValue: 5)
    /// The server does not: begin again.
    public static let nak = DHCPMessageType(rawValue: 6)
    /// A client gives its address back.
    public static let release = DHCPMessageType(rawValue: 7)
    /// A client with an address of its own asks for the rest.
    public static let inform = DHCPMessageType(rawValue: 8)
    /// A relay asks who has an address (RFC 4388).
    public static let leaseQuery = DHCPMessageType(rawValue: 10)
    /// Nobody has the address now.
    public static let leaseUnassigned = DHCPMessageType(rawValue: 11)
    /// The server knows nothing of it.
    public static let leaseUnknown = DHCPMessageType(rawValue: 12)
    /// Somebody has it.
    public static let leaseActive = DHCPMessageType(rawValue: 13)
}

extension DHCPMessageType: CustomStringConvertible {
    /// As people write it: `DISCOVER`.
    public var description: String {
        let names = [
            "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM", "FORCERENEW", "LEASEQUERY",
            "LEASEUNASSIGNED", "LEASEUNKNOWN", "LEASEACTIVE",
        ]
        return (1...13).contains(rawValue) ? names[Int(rawValue) - 1] : "TYPE-\(rawValue)"
    }
}

extension DHCPMessage {
    /// What kind of message this is (option 53); nil in BOOTP.
    public func messageType() throws(DHCPOptionError) -> DHCPMessageType? {
        try number(.messageType, UInt8.self).map(DHCPMessageType.init(rawValue:))
    }
}

extension DHCPOption {
    /// Option 53.
    public static func messageType(_ type: DHCPMessageType) -> DHCPOption { DHCPOption(.messageType, [type.rawValue]) }
}
