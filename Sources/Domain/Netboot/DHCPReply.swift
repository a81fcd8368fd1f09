public import BootModel
public import DHCP
public import NetworkTypes

/// Writes replies: the border where plans and leases become DHCP messages.
///
/// Options stand in the order of their importance, because the last ones are left out when a client takes only
/// short messages.
public struct DHCPReply: Sendable {
    /// What is answered.
    public var request: DHCPMessage
    /// Who asked.
    public var node: NodeRequest
    /// Our address on the node's network.
    public var server: IPv4Address

    /// Replies to one request.
    public init(to request: DHCPMessage, from node: NodeRequest, server: IPv4Address) {
        self.request = request
        self.node = node
        self.server = server
    }

    /// What a machine is given together with its address.
    public struct Terms: Hashable, Sendable {
        /// The address; nil in the answer to DHCPINFORM.
        public var address: IPv4Address?
        /// For how many seconds.
        public var seconds: UInt32
        /// The network it is on.
        public var network: Network
        /// The name it shall have; nil when no node is named so.
        public var hostname: String?
        /// Further options, which win over those that the network's own keys make.
        public var options: [DHCPOptionSetting]

        /// Terms from their parts.
        public init(
            address: IPv4Address?,
            seconds: UInt32,
            network: Network,
            hostname: String? = nil,
            options: [DHCPOptionSetting] = []
        ) {
            self.address = address
            self.seconds = seconds
            self.network = network
            self.hostname = hostname
            self.options = options
        }
    }

    // MARK: Full mode

    /// An OFFER or ACK of an address, with what to boot when `bootFile` says so.
    public func full(_ type: DHCPMessageType, _ terms: Terms, bootFile: BootFile?) -> DHCPMessage {
        var reply = base(type)
        reply.clientAddress = type == .ack ? request.clientAddress : .any
        var options: [DHCPOption] = [.messageType(type), .serverIdentifier(serverIdentifier)]
        if let address = terms.address {
            reply.yourAddress = address
            options.append(.leaseTime(terms.seconds))
            options.append(.renewalTime(terms.seconds / 2))
            options.append(.rebindingTime(UInt32(UInt64(terms.seconds) * 7 / 8)))
        }
        options += configuration(terms, bootFile: bootFile, in: &reply)
        reply.options = DHCPOptions(options + echoes)
        return reply
    }

    /// A BOOTREPLY (RFC 951, RFC 1534): no lease, no message type.
    public func bootp(_ terms: Terms, bootFile: BootFile?) -> DHCPMessage {
        var reply = base(.ack)
        reply.clientAddress = request.clientAddress
        reply.yourAddress = terms.address ?? .any
        reply.options = DHCPOptions(configuration(terms, bootFile: bootFile, in: &reply) + echoes)
        return reply
    }

    /// What stands in every answer that gives or confirms an address.
    private func configuration(_ terms: Terms, bootFile: BootFile?, in reply: inout DHCPMessage) -> [DHCPOption] {
        let network = terms.network
        var options: [DHCPOption] = [.subnetMask(network.subnet.mask)]
        if let router = network.router { options.append(.routers([router])) }
        if !network.nameservers.isEmpty { options.append(.nameServers(network.nameservers)) }
        if let bootFile { options += boot(bootFile, in: &reply) + fullModeHints(network) }
        if let domain = network.domain { options.append(.domainName(domain)) }
        if let hostname = terms.hostname { options.append(.hostName(hostname)) }
        if !network.terms.timeServers.isEmpty { options.append(.timeServers(network.terms.timeServers)) }
        if !network.terms.routes.isEmpty { options.append(Self.routes(network)) }
        options.append(.broadcastAddress(network.subnet.broadcast))
        if terms.options.isEmpty { return options }
        var further = terms.options.map { DHCPOption(DHCPOptionCode(rawValue: $0.code), $0.bytes) }
        // Etherboot takes the options that it has for itself only beside this signature.
        if node.vendorClass?.hasPrefix("Etherboot") == true, further.contains(where: { $0.code.rawValue > 128 }),
            !further.contains(where: { $0.code == .etherbootSignature })
        {
            further.insert(DHCPOption(.etherbootSignature, [0xe4, 0x45, 0x74, 0x68, 0, 0]), at: 0)
        }
        let own = Set(further.map(\.code))
        return options.filter { !own.contains($0.code) } + further
    }

    private static func routes(_ network: Network) -> DHCPOption {
        var routes = network.terms.routes.map { (subnet: $0.subnet, router: $0.router) }
        if let router = network.router, let all = IPv4Subnet(containing: .any, prefixLength: 0) {
            routes.append((subnet: all, router: router))
        }
        return .classlessRoutes(routes)
    }

    /// The answer to a relay that asks who has an address (RFC 4388 section 6.4).
    public func leaseQuery(
        _ type: DHCPMessageType,
        _ lease: Lease?,
        others: [IPv4Address],
        network: Network?,
        now: Timestamp
    )
        -> DHCPMessage
    {
        var reply = base(type)
        var options: [DHCPOption] = [.messageType(type), .serverIdentifier(server)]
        reply.clientAddress = lease?.address ?? request.clientAddress
        if let lease {
            reply.hardware = ClientHardware(lease.mac)
            let left = UInt32(clamping: Int(lease.expires.seconds(since: now)))
            let age = UInt32(clamping: Int(now.seconds(since: lease.granted)))
            options += [.leaseTime(left), .renewalTime(left / 2), .rebindingTime(UInt32(UInt64(left) * 7 / 8))]
            options.append(.lastTransaction(seconds: age))
            if !others.isEmpty { options.append(.associatedAddresses(others)) }
            if let network, request.parameterRequestList()?.contains(.subnetMask) == true {
                options.append(.subnetMask(network.subnet.mask))
            }
        }
        reply.options = DHCPOptions(options + echoes)
        return reply
    }

    /// What tells each kind of firmware that this message is all there is to wait for.
    ///
    /// UEFI PXE gets neither 60 nor 43: a bare file name needs no second step on port 4011.
    private func fullModeHints(_ network: Network) -> [DHCPOption] {
        if RaspberryPi.isOne(request, mac: node.mac), node.stage == .firmware {
            return [.vendorClass(.pxeClient), .pxeVendorOptions(RaspberryPi.vendorOptions)]
        }
        if network.terms.pxeClass == .never, node.stage == .firmware { return [] }
        switch node.stage {
        case .ipxe: return [.ipxeOptions(.noProxyDHCP)]
        case .firmwareHTTP: return [.vendorClass(.httpClient)]
        case .firmware where node.architecture?.isEFI != true:
            return [.vendorClass(.pxeClient), .pxeVendorOptions(.bootFileOnly)]
        case .firmware where network.terms.pxeClass == .always: return [.vendorClass(.pxeClient)]
        case .firmware, .loader, .system: return []
        }
    }

    /// A NAK: the client must begin again.
    public func refusal(_ reason: String) -> DHCPMessage {
        var reply = base(.nak)
        // RFC 2131 section 4.3.2: a relay must broadcast it, as the client's address is wrong for its network.
        if !request.relayAgent.isAny { reply.isBroadcast = true }
        reply.options = DHCPOptions(
            [.messageType(.nak), .serverIdentifier(serverIdentifier), .errorMessage(reason)] + echoes
        )
        return reply
    }

    // MARK: Proxy mode

    /// The answer to a DISCOVER beside another DHCP server: no address, only what to boot.
    ///
    /// BIOS firmware takes the file name of this very message (option 43: 06 01 08). UEFI firmware never keeps such
    /// offers from a proxy (EDK2), so it gets no option 43 and then asks on port 4011. iPXE stops waiting for
    /// proxies when file and server are there. HTTP Boot wants its own vendor class and no server address.
    public func proxyOffer(_ bootFile: BootFile) -> DHCPMessage {
        var reply = base(.offer)
        reply.isBroadcast = true
        var options: [DHCPOption] = [.messageType(.offer), .serverIdentifier(server)]
        switch node.stage {
        case .firmwareHTTP: options.append(.vendorClass(.httpClient))
        case .firmware where RaspberryPi.isOne(request, mac: node.mac):
            options += [.vendorClass(.pxeClient), .pxeVendorOptions(RaspberryPi.vendorOptions)]
        case .firmware where node.architecture?.isEFI != true:
            options += [.vendorClass(.pxeClient), .pxeVendorOptions(.bootFileOnly)]
        case .firmware, .ipxe, .loader, .system: options.append(.vendorClass(.pxeClient))
        }
        reply.options = DHCPOptions(options + boot(bootFile, in: &reply) + echoes)
        return reply
    }

    /// The answer to a REQUEST or INFORM on port 4011.
    ///
    /// A client that showed a menu names the item its user chose, and wants the same item back.
    public func bootServerAcknowledgement(_ bootFile: BootFile) -> DHCPMessage {
        var reply = base(.ack)
        reply.clientAddress = request.clientAddress
        var options: [DHCPOption] = [.messageType(.ack), .serverIdentifier(server), .vendorClass(.pxeClient)]
        if let item = (try? request.bootItem()) ?? nil {
            options.append(.pxeVendorOptions(PXEVendorOptions([.init(71, item)])))
        }
        reply.options = DHCPOptions(options + boot(bootFile, in: &reply) + echoes)
        return reply
    }

    // MARK: Parts

    /// Who we say we are: the relay may want clients to speak to it (RFC 5107).
    private var serverIdentifier: IPv4Address {
        guard !request.relayAgent.isAny else { return server }
        return ((try? request.relayAgentInformation()) ?? nil)?.serverIdentifierOverride ?? server
    }

    private func base(_ type: DHCPMessageType) -> DHCPMessage {
        var reply = DHCPMessage(operation: .reply, hardware: request.hardware, transaction: request.transaction)
        reply.flags = request.flags
        reply.relayAgent = request.relayAgent
        return reply
    }

    /// Sets `file` and `siaddr` of the reply; gives the options that say the same, as firmware differs in what it reads.
    private func boot(_ file: BootFile, in reply: inout DHCPMessage) -> [DHCPOption] {
        // A name that `file` cannot hold would be cut there: then only option 67 has it.
        if file.text.utf8.count < 128 { reply.bootFileText = file.text }
        if node.stage == .firmwareHTTP { return [.bootFileName(file.text)] }
        reply.nextServer = server
        switch file {
        case .tftp: return [.bootFileName(file.text), .tftpServerName(server.description)]
        case .http: return [.bootFileName(file.text)]
        }
    }

    /// What goes back as it came: client identifier (RFC 6842), UUID, and last the relay's information (RFC 3046).
    private var echoes: [DHCPOption] {
        [DHCPOptionCode.clientIdentifier, .machineIdentifier, .relayAgentInformation].compactMap { code in
            request.joined(code).map { DHCPOption(code, $0) }
        }
    }
}
