public import NetworkTypes

/// Where a reply goes (RFC 2131 section 4.1).
public enum DHCPReplyDestination: Hashable, Sendable, CustomStringConvertible {
    /// To the relay agent's server port, 67.
    case relay(IPv4Address)
    /// To a client that has its address already, port 68.
    case client(IPv4Address)
    /// To a client that does not answer ARP for its new address yet, port 68: the sender must know the pair of
    /// addresses already, or broadcast instead.
    case newClient(IPv4Address, MACAddress)
    /// To everybody on the interface the question came in on, port 68.
    case broadcast
    /// To the address and port the question came from: answers on port 4011.
    case sender(Endpoint)

    /// The destination of `reply` to a `request` that came to port 67.
    ///
    /// One sentence: through the relay agent if there is one, else to the address the client has, else by broadcast
    /// when the client asked for it, when the reply is a NAK, when no address was given or the hardware is not
    /// Ethernet, else to the new address.
    public init(of reply: DHCPMessage, to request: DHCPMessage) {
        let type = (try? reply.messageType()) ?? nil
        if !request.relayAgent.isAny {
            self = .relay(request.relayAgent)
        } else if type == .nak {
            self = .broadcast
        } else if !request.clientAddress.isAny {
            self = .client(request.clientAddress)
        } else if request.isBroadcast || reply.isBroadcast || reply.yourAddress.isAny {
            self = .broadcast
        } else if let mac = request.mac {
            self = .newClient(reply.yourAddress, mac)
        } else {
            self = .broadcast
        }
    }

    /// Address and UDP port.
    public var endpoint: Endpoint {
        switch self {
        case .relay(let address): Endpoint(address, 67)
        case .client(let address), .newClient(let address, _): Endpoint(address, 68)
        case .broadcast: Endpoint(.broadcast, 68)
        case .sender(let endpoint): endpoint
        }
    }

    /// For a log line.
    public var description: String {
        switch self {
        case .relay(let address): "relay \(address)"
        case .client(let address): "\(address)"
        case .newClient(let address, let mac): "\(address) at \(mac)"
        case .broadcast: "broadcast"
        case .sender(let endpoint): "\(endpoint)"
        }
    }
}
