import BootModel
import DHCP
import DHCPServer
import NetworkTypes
import Testing

/// What networks are beyond one subnet with one pool.
struct RealNetworkTests {
    private let start = Server.start

    private func engine(_ networks: [Network], nodes: [Node] = []) -> DHCPEngine {
        let fleet = Fleet(networks: networks, nodes: nodes)
        return DHCPEngine(fleet: fleet, planner: FixedPlanner(fleet: fleet))
    }

    private func network(_ name: String, _ subnet: String, pool: String, _ change: (inout Network) -> Void = { _ in })
        throws -> Network
    {
        var network = Network(
            name: try NetworkName(validating: name),
            interface: "eth1",
            subnet: try Server.value(subnet),
            dhcp: .full,
            pools: [try Server.value(pool)],
            leaseSeconds: 3600
        )
        change(&network)
        return network
    }

    private func arrival(_ message: DHCPMessage, probe: Bool = false) -> DHCPArrival {
        DHCPArrival(message: message, interface: "eth1", addresses: [Server.address], canProbe: probe)
    }

    private func client(_ number: UInt64) -> Client { Client(mac: MACAddress(value: 0x5254_0000_0000 + number)) }

    @Test func twoSubnetsShareAWire() throws {
        let first = try network("a", "10.0.0.0/24", pool: "10.0.0.200-10.0.0.200")
        let second = try network("b", "10.5.0.0/24", pool: "10.5.0.10-10.5.0.10")
        var engine = engine([second, first])
        func offered(_ number: UInt64) -> IPv4Address? {
            engine.handle(arrival(client(number).message(.discover)), now: start).replies.first?.message.yourAddress
        }
        #expect(offered(1) == IPv4Address(10, 0, 0, 200))
        #expect(offered(2) == IPv4Address(10, 5, 0, 10))
        let third = engine.handle(arrival(client(3).message(.discover)), now: start)
        #expect(third.replies.isEmpty)
        #expect(third.lines.contains { $0.contains("exhausted") })
    }

    @Test func aRelayOutsideTheSubnetAndLinkSelection() throws {
        let relay = IPv4Address(192, 168, 9, 9)
        let far = try network("far", "10.9.0.0/24", pool: "10.9.0.10-10.9.0.20") {
            $0.interface = nil
            $0.terms.relays = [relay]
        }
        var engine = engine([far])
        var message = client(1).message(.discover, [DHCPOption(.relayAgentInformation, [1, 2, 0x70, 0x37])])
        message.relayAgent = relay
        let sent = try #require(engine.handle(arrival(message), now: start).replies.first)
        #expect(far.subnet.contains(sent.message.yourAddress))
        #expect(sent.destination == .relay(relay))
        #expect(sent.message.options.entries.last?.code == .relayAgentInformation)
        message.relayAgent = IPv4Address(172, 16, 0, 1)
        #expect(engine.handle(arrival(message), now: start).replies.isEmpty)
        message.options = DHCPOptions([
            .messageType(.discover), DHCPOption(.relayAgentInformation, [5, 4, 10, 9, 0, 0, 11, 4, 172, 16, 0, 2]),
        ])
        let selected = try #require(engine.handle(arrival(message), now: start).replies.first)
        #expect(try selected.message.serverIdentifier() == IPv4Address(172, 16, 0, 2))
    }

    @Test func nodesByClientIdentifierAndRelayPort() throws {
        let lab = try network("lab", "10.0.0.0/24", pool: "10.0.0.200-10.0.0.220")
        let byClient = Node(
            name: NodeName(checked: "one"),
            macs: [],
            identities: [.client([0, 0x61, 0x62])],
            address: IPv4Address(10, 0, 0, 31)
        )
        let byPort = Node(
            name: NodeName(checked: "two"),
            macs: [],
            identities: [.relayPort(circuit: Array("port7".utf8), remote: nil)],
            address: IPv4Address(10, 0, 0, 32)
        )
        var engine = engine([lab], nodes: [byClient, byPort])
        func offered(_ option: DHCPOption) -> IPv4Address? {
            var message = client(9).message(.discover, [option])
            if option.code == .relayAgentInformation { message.relayAgent = IPv4Address(10, 0, 0, 2) }
            return engine.handle(arrival(message), now: start).replies.first?.message.yourAddress
        }
        #expect(offered(DHCPOption(.clientIdentifier, [0, 0x61, 0x62])) == byClient.address)
        #expect(
            offered(DHCPOption(.relayAgentInformation, [1, 5] + Array("port7".utf8) + [2, 1, 9])) == byPort.address
        )
    }

    @Test func optionsRulesAndRoutes() throws {
        let lab = try network("lab", "10.0.0.0/24", pool: "10.0.0.200-10.0.0.220") {
            $0.router = IPv4Address(10, 0, 0, 1)
            $0.terms.timeServers = [IPv4Address(10, 0, 0, 3)]
            $0.terms.options = [
                DHCPOptionSetting(code: 26, content: .number(1400, bytes: 2)),
                DHCPOptionSetting(code: 200, content: .bytes([UInt8](repeating: 7, count: 300))),
            ]
            $0.terms.matches = [
                MatchRule(vendorClass: "phone*", answer: .ignore),
                MatchRule(userClass: "kiosk", options: [DHCPOptionSetting(code: 26, content: .number(9000, bytes: 2))]),
            ]
        }
        var engine = engine([lab])
        #expect(
            engine.handle(
                arrival(Client(options: [.vendorClass(VendorClass("phone 7"))]).message(.discover)),
                now: start
            )
            .replies.isEmpty
        )
        let kiosk = Client(options: [.userClasses(["kiosk"]), .maximumMessageSize(1400)])
        let reply = try #require(engine.handle(arrival(kiosk.message(.discover)), now: start).replies.first)
        let encoded = reply.message.encodeReply(limit: reply.limit)
        let read = try DHCPMessage(decoding: encoded.bytes.span)
        #expect(encoded.omitted.isEmpty)
        #expect(read.joined(DHCPOptionCode(rawValue: 26)) == [0x23, 0x28])
        #expect(read.joined(DHCPOptionCode(rawValue: 200))?.count == 300)
        #expect(read.first(.timeServers) == [10, 0, 0, 3])
    }

    @Test func aProbeDelaysTheOfferWithinItsBudget() throws {
        let lab = try network("lab", "10.0.0.0/24", pool: "10.0.0.200-10.0.0.201")
        var engine = engine([lab])
        let first = engine.handle(arrival(client(1).message(.discover), probe: true), now: start)
        guard case .probe(let address)? = first.actions.last else { return #expect(Bool(false), "\(first)") }
        #expect(first.replies.isEmpty)
        // Somebody has it: the next address is looked for within what is left of the time.
        let later = start.advanced(bySeconds: 0.04)
        let thief = MACAddress(value: 0x5254_0000_0099)
        let found = engine.heard(thief, has: address, now: later)
        let heard = try #require(found)
        #expect(heard.outcome.changes.count == 1)
        #expect(heard.outcome.lines.contains { $0.contains("\(thief)") })
        #expect(engine.nextSearchEnd == start.advanced(bySeconds: DHCPEngine.probeBudget))
        let ended = engine.endSearches(now: start.advanced(bySeconds: 0.11))
        let offer = try #require(ended.first?.outcome.replies.first)
        #expect(offer.message.yourAddress != address)
        // Known now: no second look.
        let again = engine.handle(arrival(client(1).message(.discover), probe: true), now: start.advanced(bySeconds: 1))
        #expect(again.replies.first?.message.yourAddress == offer.message.yourAddress)
    }

    @Test func bootpClientsKeepTheirAddress() throws {
        let lab = try network("lab", "10.0.0.0/24", pool: "10.0.0.200-10.0.0.200") { $0.terms.answersBOOTP = true }
        var engine = engine([lab])
        var message = client(1).message(.discover)
        message.options = DHCPOptions([])
        let outcome = engine.handle(arrival(message), now: start)
        let reply = try #require(outcome.replies.first?.message)
        #expect(try reply.messageType() == nil)
        #expect(reply.yourAddress == IPv4Address(10, 0, 0, 200))
        #expect(outcome.changes.count == 1)
        let other = engine.handle(arrival(client(2).message(.discover)), now: start.advanced(bySeconds: 1e8))
        #expect(other.replies.isEmpty)
    }

    @Test func relaysAskForLeases() throws {
        let lab = try network("lab", "10.0.0.0/24", pool: "10.0.0.200-10.0.0.210")
        var engine = engine([lab])
        let wanted = IPv4Address(10, 0, 0, 205)
        _ = engine.handle(arrival(client(1).message(.request, [.requestedAddress(wanted)])), now: start)
        func ask(_ change: (inout DHCPMessage) -> Void) throws -> DHCPMessage {
            var query = DHCPMessage(
                operation: .request,
                hardware: ClientHardware(type: 0, length: 0, bytes: []),
                transaction: 5
            )
            query.relayAgent = IPv4Address(10, 0, 0, 2)
            query.options = DHCPOptions([.messageType(.leaseQuery)])
            change(&query)
            let outcome = engine.handle(arrival(query), now: start.advanced(bySeconds: 600))
            return try #require(outcome.replies.first?.message)
        }
        let active = try ask { $0.clientAddress = wanted }
        #expect(try active.messageType() == .leaseActive)
        #expect(active.mac == client(1).mac)
        #expect(try active.leaseTime() == 3000)
        let byMAC = try ask { $0.hardware = ClientHardware(client(1).mac) }
        #expect(byMAC.clientAddress == wanted)
        #expect(try ask { $0.clientAddress = IPv4Address(10, 0, 0, 206) }.messageType() == .leaseUnassigned)
        #expect(try ask { $0.clientAddress = IPv4Address(192, 0, 2, 1) }.messageType() == .leaseUnknown)
    }

    @Test func otherServersAreToldOnce() throws {
        let lab = try network("lab", "10.0.0.0/24", pool: "10.0.0.200-10.0.0.210")
        var engine = engine([lab])
        var offer = DHCPMessage(operation: .reply, hardware: ClientHardware(client(1).mac), transaction: 1)
        let rogue = IPv4Address(10, 0, 0, 66)
        offer.options = DHCPOptions([.messageType(.offer), .serverIdentifier(rogue)])
        func heard(_ seconds: Double) -> Int {
            engine.overheard(
                offer,
                from: rogue,
                mac: client(66).mac,
                interface: "eth1",
                own: [Server.address],
                now: start.advanced(bySeconds: seconds)
            ).count
        }
        #expect(heard(0) == 1)
        #expect(heard(10) == 0)
        #expect(heard(3700) == 1)
    }

    @Test func aRenewalWithinTheMarginNeedsNoWrite() throws {
        let lab = try network("lab", "10.0.0.0/24", pool: "10.0.0.200-10.0.0.210")
        var engine = engine([lab])
        let wanted = IPv4Address(10, 0, 0, 205)
        func renew(_ seconds: Double) -> [LeaseChange] {
            engine.handle(
                arrival(client(1).message(.request, [.requestedAddress(wanted)])),
                now: start.advanced(bySeconds: seconds)
            ).changes
        }
        let first = renew(0)
        #expect(first.count == 1)
        // Not on the disk yet: the second answer waits too.
        #expect(renew(1).count == 1)
        engine.leases.confirm(first)
        engine.leases.confirm(first)
        #expect(renew(2).isEmpty)
        #expect(renew(449).isEmpty)
        #expect(renew(451).count == 1)
        // After a crash, what was kept counts.
        guard case .set(let lease)? = first.first else { return #expect(Bool(false)) }
        #expect(LeaseTable(restoring: [lease]).lease(of: wanted)?.expires == start.advanced(bySeconds: 3600 + 450))
    }
}
