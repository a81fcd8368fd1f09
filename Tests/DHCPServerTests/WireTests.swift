import BootModel
import DHCP
import DHCPServer
import Logging
import NetworkIO
import NetworkTypes
import Testing

/// The server's thread and sockets, on loopback in a network namespace of the test's own.
@Suite(.enabled(if: OwnNamespace.isRoot, "needs root for a network namespace"), .timeLimit(.minutes(5)))
struct WireTests {
    private struct FixedClock: BootModel.Clock {
        func now() -> Timestamp { Server.start }
    }

    private struct NoRecorder: BootRecorder {
        func record(_ event: BootEvent, reached progress: Boot.Progress?) {}
    }

    /// A relay agent that speaks for clients, and the server it speaks to.
    private struct Wire {
        let leases = MemoryLeases()
        let server: DHCPServer
        let configuration: DHCPServer.Configuration
        let ports: DHCPServer.Ports
        let log: Logger
        let relay: UDPSocket
        static let relayAddress = IPv4Address(10, 0, 0, 2)

        init() throws {
            let network = Network(
                name: try NetworkName(validating: "lab"),
                interface: "lo",
                subnet: try Server.value("10.0.0.0/24"),
                dhcp: .full,
                pools: [try Server.value("10.0.0.100-10.0.0.199")]
            )
            let fleet = Fleet(networks: [network])
            var log = Logger(label: "test")
            log.logLevel = .critical
            self.log = log
            ports = DHCPServer.Ports(
                planner: FixedPlanner(fleet: fleet),
                leases: leases,
                recorder: NoRecorder(),
                clock: FixedClock()
            )
            configuration = .init(interfaces: ["lo"], fleet: { fleet })
            server = try DHCPServer(configuration, ports: ports, log: log)
            relay = try UDPSocket(bind: Endpoint(Self.relayAddress, 67), interface: "lo", sharesPort: true)
        }

        func send(_ type: DHCPMessageType, client: Int, address: Int? = nil) throws {
            let wanted = IPv4Address(10, 0, 0, UInt8(100 + (address ?? client)))
            var message = Client.udhcpc.message(type, [.requestedAddress(wanted)])
            message.hardware = ClientHardware(MACAddress(value: 0x5254_0000_0000 + UInt64(client)))
            message.transaction = UInt32(client)
            message.relayAgent = Self.relayAddress
            try relay.send(message.encode().span, to: Endpoint(Server.address, 67))
        }

        func receive() throws -> DHCPMessage? {
            guard OwnNamespace.isReadable(relay.descriptor, within: 10) else { return nil }
            var buffer = [UInt8](repeating: 0, count: 1500)
            guard let (count, origin) = try relay.receive(into: &buffer) else { return nil }
            #expect(origin.peer == Endpoint(Server.address, 67))
            return try DHCPMessage(decoding: Array(buffer[..<count]).span)
        }
    }

    /// Runs `body` on a thread of its own, in a namespace of its own.
    private func onTheWire(_ body: @escaping @Sendable (Wire) throws -> Void) async throws {
        try await onAThread {
            let wire = try Wire()
            defer { wire.server.stop() }
            try body(wire)
        }
    }

    private func onAThread(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            do {
                try WorkerThread.start("wire-test", stackBytes: 4 << 20) {
                    continuation.resume(
                        with: Result {
                            try OwnNamespace.enter(addresses: ["10.0.0.1/24", "10.0.0.2/24"])
                            try body()
                        }
                    )
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    @Test func whatWaitsIsCommittedTogether() async throws {
        try await onTheWire { wire in
            // The server does not run yet, so all of them wait in its socket.
            for client in 0..<50 { try wire.send(.request, client: client) }
            try wire.server.start()
            var answered: Set<UInt32> = []
            while answered.count < 50, let reply = try wire.receive() {
                #expect(try reply.messageType() == .ack)
                // The lease was kept before its ACK left.
                #expect(try wire.leases.leases().contains { $0.address == reply.yourAddress })
                answered.insert(reply.transaction)
            }
            #expect(answered.count == 50)
            #expect(wire.leases.commits == 1)
        }
    }

    @Test func noAnswerWithoutALeaseThatIsKept() async throws {
        try await onTheWire { wire in
            wire.leases.setFailing(true)
            try wire.send(.request, client: 1)
            try wire.send(.discover, client: 2)
            try wire.server.start()
            // The offer promises nothing, so it is the only answer.
            #expect(try wire.receive()?.messageType() == .offer)
            wire.leases.setFailing(false)
            try wire.send(.request, client: 1)
            #expect(try wire.receive()?.messageType() == .ack)
            #expect(try wire.leases.leases().count == 1)
        }
    }

    /// A change that the store refused goes before the next one: else the store would keep what nobody has any more.
    @Test func whatWasNotKeptIsKeptLater() async throws {
        try await onTheWire { wire in
            try wire.server.start()
            try wire.send(.request, client: 1)
            #expect(try wire.receive()?.messageType() == .ack)
            wire.leases.setFailing(true)
            // The machine moves to another address: the old one goes, the new one comes, and the store takes neither.
            try wire.send(.request, client: 1, address: 2)
            try wire.send(.discover, client: 3)
            #expect(try wire.receive()?.messageType() == .offer)
            wire.leases.setFailing(false)
            try wire.send(.request, client: 1, address: 2)
            #expect(try wire.receive()?.messageType() == .ack)
            #expect(try wire.leases.leases().map(\.address) == [IPv4Address(10, 0, 0, 102)])
        }
    }

    @Test(arguments: [67, 4011] as [UInt16], ["lo", nil])
    func aPortThatAnotherServerWouldShareIsTaken(port: UInt16, interface: String?) async throws {
        try await onTheWire { wire in
            wire.server.stop()
            let next = { try DHCPServer(wire.configuration, ports: wire.ports, replacing: $0, log: wire.log) }
            // Ours, which a new one of ours may replace.
            #expect(throws: PortTaken.self) { try next(nil) }
            _ = try next(wire.server)
        }
        try await onAThread {
            let holder = try UDPSocket(bind: Endpoint(.any, port), interface: interface, sharesPort: true)
            let error = #expect(throws: PortTaken.self) { _ = try Wire() }
            #expect(error?.description.hasPrefix("UDP 0.0.0.0:\(port) is taken by another program") == true)
            withExtendedLifetime(holder) {}
        }
    }

    @Test func rubbishIsDropped() async throws {
        try await onTheWire { wire in
            try wire.server.start()
            for count in [0, 1, 239, 241, 1400] {
                let rubbish = [UInt8](repeating: 0x63, count: count)
                try wire.relay.send(rubbish.span, to: Endpoint(Server.address, 67))
                try wire.relay.send(rubbish.span, to: Endpoint(Server.address, 4011))
            }
            try wire.send(.discover, client: 3)
            #expect(try wire.receive()?.transaction == 3)
        }
    }
}
