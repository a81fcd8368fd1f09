import BootModel
import DHCP
import DHCPServer
import NetworkTypes

/// A planner that knows the fleet and gives each stage a boot file of the obvious name.
struct FixedPlanner: BootPlanning {
    var fleet: Fleet
    var refusal: BootRefusal?

    func identify(_ request: NodeRequest) -> (node: Node, isKnown: Bool) {
        fleet.identify(request)
    }

    func plan(for request: NodeRequest, addressing: NodeAddressing, server: ServerAddresses) -> Result<
        BootPlan, BootRefusal
    > {
        if let refusal { return .failure(refusal) }
        guard let id = ImageVersionID("debian@1") else { return .failure(BootRefusal("no image")) }
        let image = ImageVersion(
            id: id,
            architecture: "amd64",
            kernelRelease: "6.1.0",
            rootFormat: .squashfs,
            created: Timestamp(seconds: 0),
            files: [:]
        )
        do {
            return .success(
                try BootPlanner.plan(
                    .init(
                        node: identify(request).node,
                        settings: EffectiveSettings(layers: []),
                        image: image,
                        request: request,
                        addressing: addressing,
                        server: server,
                        loaders: ["undionly.kpxe", "snponly.efi"]
                    )
                )
            )
        } catch {
            return .failure(error)
        }
    }
}

/// One server with a network, as dialogues need it.
struct Server {
    static let address = IPv4Address(10, 0, 0, 1)
    static let start = Timestamp(seconds: 1_700_000_000)
    var engine: DHCPEngine
    var now = Server.start

    init(
        _ mode: Network.DHCPMode = .full,
        pools: [String] = ["10.0.0.128-10.0.0.254"],
        unknown: Network.UnknownNodes = .boot,
        nodes: [Node] = [],
        leases: [Lease] = [],
        refusal: BootRefusal? = nil
    ) throws {
        let network = Network(
            name: try NetworkName(validating: "lab"),
            interface: "eth1",
            subnet: try Self.value("10.0.0.0/24"),
            dhcp: mode,
            pools: try pools.map { try Self.value($0) },
            router: IPv4Address(10, 0, 0, 1),
            nameservers: [IPv4Address(10, 0, 0, 1)],
            domain: "lab.example",
            leaseSeconds: 3600,
            unknownNodes: unknown
        )
        let far = Network(
            name: try NetworkName(validating: "far"),
            interface: "none",
            subnet: try Self.value("10.9.0.0/24"),
            dhcp: mode,
            pools: [try Self.value("10.9.0.100-10.9.0.110")]
        )
        let fleet = Fleet(networks: [network, far], nodes: nodes)
        engine = DHCPEngine(fleet: fleet, leases: leases, planner: FixedPlanner(fleet: fleet, refusal: refusal))
    }

    struct NoValue: Error { var text: String }
    static func value<Value: LosslessStringConvertible>(_ text: String) throws -> Value {
        guard let value = Value(text) else { throw NoValue(text: text) }
        return value
    }

    /// Everything a message leads to, after a trip over the wire.
    mutating func handle(_ message: DHCPMessage, port: DHCPArrival.Port = .dhcp, peer: Endpoint = Endpoint(.any, 68))
        throws
        -> DHCPOutcome
    {
        let arrival = DHCPArrival(
            message: try DHCPMessage(decoding: message.encode().span),
            port: port,
            peer: peer,
            interface: "eth1",
            addresses: [Self.address]
        )
        return engine.handle(arrival, now: now)
    }

    /// The one reply to a message; nil when there is none.
    mutating func answer(_ message: DHCPMessage, port: DHCPArrival.Port = .dhcp, peer: Endpoint = Endpoint(.any, 68))
        throws
        -> DHCPMessage?
    {
        let sent = try handle(message, port: port, peer: peer).replies
        return try sent.first.map { try DHCPMessage(decoding: $0.message.encodeReply(limit: $0.limit).bytes.span) }
    }
}

extension DHCPOutcome {
    var isEmpty: Bool { changes.isEmpty && actions.isEmpty }
    var replies: [DHCPOutgoing] {
        actions.compactMap { if case .send(let outgoing) = $0 { outgoing } else { nil } }
    }
    var events: [BootEvent.Kind] {
        actions.compactMap { if case .record(let event, _) = $0 { event.kind } else { nil } }
    }
    var lines: [String] {
        actions.compactMap { if case .log(_, let line) = $0 { line } else { nil } }
    }
}

/// A client of one kind: what its messages carry besides the address questions.
struct Client {
    var mac = MACAddress(value: 0x5254_0012_3456)
    var options: [DHCPOption] = []
    var isBroadcast = true

    static let biosROM = Client(options: [
        .vendorClass(VendorClass("PXEClient:Arch:00000:UNDI:002001")), .clientArchitectures([0]),
        DHCPOption(.networkInterface, [1, 2, 1]), DHCPOption(.machineIdentifier, [0] + [UInt8](1...16)),
    ])
    static let ipxe = Client(options: [
        .vendorClass(VendorClass("PXEClient:Arch:00000:UNDI:002001")), .clientArchitectures([0]),
        .userClass(raw: "iPXE"), DHCPOption(.ipxe, [0x13, 1, 1, 0x18, 1, 1, 0x21, 1, 1, 0xeb, 3, 1, 0, 0]),
        DHCPOption(.clientIdentifier, [1, 0x52, 0x54, 0, 0x12, 0x34, 0x56]),
    ])
    static let ovmfPXE = Client(options: [
        .maximumMessageSize(1472), .vendorClass(VendorClass("PXEClient:Arch:00007:UNDI:003000")),
        .clientArchitectures([7]), DHCPOption(.networkInterface, [1, 3, 0]),
        DHCPOption(.machineIdentifier, [UInt8](repeating: 0, count: 17)),
    ])
    static let ovmfHTTP = Client(options: [
        .maximumMessageSize(1472), .vendorClass(VendorClass("HTTPClient:Arch:00016:UNDI:003000")),
        .clientArchitectures([16]),
    ])
    static let klibc = Client(options: [.vendorClass(VendorClass("Linux ipconfig"))])
    static let udhcpc = Client(options: [.vendorClass(VendorClass("udhcp 1.35.0"))], isBroadcast: false)
    static let dhclient = Client(
        options: [DHCPOption(.clientIdentifier, [0xff, 1, 2, 3, 4, 0, 1]), .hostName("desk\u{1b}[2J")],
        isBroadcast: false
    )

    func message(_ type: DHCPMessageType, _ more: [DHCPOption] = [], from address: IPv4Address = .any) -> DHCPMessage {
        var message = DHCPMessage(operation: .request, hardware: ClientHardware(mac), transaction: 0xabcd)
        message.isBroadcast = isBroadcast
        message.clientAddress = address
        message.options = DHCPOptions([.messageType(type)] + options + more)
        return message
    }

    /// DISCOVER, OFFER, REQUEST, ACK; the address it ends with.
    func address(from server: inout Server) throws -> IPv4Address? {
        guard let offer = try server.answer(message(.discover)) else { return nil }
        let take: [DHCPOption] = [.requestedAddress(offer.yourAddress), .serverIdentifier(Server.address)]
        guard let ack = try server.answer(message(.request, take)), try ack.messageType() == .ack else { return nil }
        return ack.yourAddress
    }
}
