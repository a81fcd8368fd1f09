public import NetworkTypes

/// What a relay agent added (option 82, RFC 3046); echoed byte for byte, at the end of the reply.
public struct RelayAgentInformation: Hashable, Sendable {
    /// Its sub-options.
    public var suboptions: EncapsulatedOptions

    /// The port the client hangs on, in the relay's own notation (sub-option 1).
    public var circuit: [UInt8]? { suboptions.first(1) }
    /// The client's side of that port, such as a modem's address (sub-option 2).
    public var remote: [UInt8]? { suboptions.first(2) }
    /// An address of the subnet to choose from, when that is not the relay's own (sub-option 5, RFC 3527).
    public var linkSelection: IPv4Address? { suboptions.first(5).flatMap { IPv4Address(bytes: $0) } }
    /// The address the client shall think the server has (sub-option 11, RFC 5107).
    public var serverIdentifierOverride: IPv4Address? { suboptions.first(11).flatMap { IPv4Address(bytes: $0) } }
}

extension DHCPMessage {
    /// What a relay agent added (option 82).
    public func relayAgentInformation() throws(DHCPOptionError) -> RelayAgentInformation? {
        guard let value = joined(.relayAgentInformation) else { return nil }
        return RelayAgentInformation(
            suboptions: try EncapsulatedOptions(decoding: value, of: .relayAgentInformation, marks: false)
        )
    }
}
