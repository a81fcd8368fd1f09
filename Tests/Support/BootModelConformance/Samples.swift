package import BootModel
package import NetworkTypes

/// Values with every field set, for tests that must lose none.
package enum Sample {
    /// A moment with microseconds.
    package static let time = Timestamp(microseconds: 1_795_000_000_123_456)

    /// A hardware address by number.
    package static func mac(_ number: Int) -> MACAddress { MACAddress(value: 0x5254_0000_0000 + UInt64(number)) }

    /// An address of the subnet of `network` by number.
    package static func address(_ number: Int) -> IPv4Address {
        IPv4Address(value: IPv4Address(10, 0, 0, 0).value + UInt32(number))
    }

    /// A network of 65,534 addresses.
    package static func network() throws -> Network {
        guard let subnet = IPv4Subnet(containing: address(0), prefixLength: 16),
            let pool = IPv4Range(address(0xf000), address(0xffff - 1))
        else { throw ConformanceFailure(description: "sample network") }
        return Network(
            name: NetworkName(checked: "lab"),
            interface: "eth1",
            subnet: subnet,
            dhcp: .full,
            pools: [pool],
            router: address(1),
            nameservers: [address(1), address(2)],
            domain: "lab.example",
            leaseSeconds: 7200,
            unknownNodes: .addressOnly
        )
    }

    /// A profile.
    package static func profile(_ name: String = "desk") -> Profile {
        Profile(
            name: ProfileName(checked: name),
            settings: Settings(
                image: .version(ImageVersionID(ImageName(checked: "debian"), 7)),
                via: .nbd,
                writes: .cow,
                kernelArguments: ["quiet", "a=\"b c\""]
            )
        )
    }

    /// A node by number, with a UUID, an address and the sample profile.
    package static func node(_ number: Int) -> Node {
        Node(
            name: NodeName(checked: "node\(number)"),
            macs: [mac(2 * number), mac(2 * number + 1)],
            uuid: MachineUUID(
                bytes: [UInt8](repeating: 7, count: 14) + [UInt8(number >> 8 & 255), UInt8(number & 255)]
            ),
            address: address(number + 10),
            profiles: [ProfileName(checked: "desk")],
            settings: Settings(image: .tag(ImageName(checked: "debian"), "lab"), kernelArguments: [])
        )
    }

    /// A fleet of `count` nodes.
    package static func fleet(nodes count: Int) throws -> Fleet {
        Fleet(networks: [try network()], profiles: [profile()], nodes: (0..<count).map(node))
    }

    /// A lease by number.
    package static func lease(_ number: Int, granted: Timestamp = time) -> Lease {
        Lease(
            address: address(number),
            mac: mac(number),
            network: NetworkName(checked: "lab"),
            state: number.isMultiple(of: 2) ? .bound : .declined,
            granted: granted,
            expires: granted.advanced(bySeconds: 7200),
            hostname: number.isMultiple(of: 3) ? nil : "host \"\(number)\""
        )
    }

    /// A boot by number; later numbers start later.
    package static func boot(_ number: Int, node: String = "node1") -> Boot {
        var boot = Boot(
            id: BootIdentifier(random: 1, UInt64(number)),
            node: NodeName(checked: node),
            mac: mac(number),
            started: now.advanced(bySeconds: Double(number)),
            progress: .root,
            image: ImageVersionID(ImageName(checked: "debian"), 7),
            architecture: .x64EFI
        )
        boot.up = boot.started.advanced(bySeconds: 21.3)
        boot.failure = "no \"root\""
        boot.facts = MachineFacts(mac: boot.mac, architecture: .x64EFI, vendorClass: "PXEClient", relayPort: "Gi0/3")
        return boot
    }

    /// A time that no age limit reaches while the tests run.
    private static let now = Timestamp(seconds: 32_000_000_000)

    /// An event of a boot.
    package static func event(_ boot: Boot, _ number: Int, kind: BootEvent.Kind = .kernel) -> BootEvent {
        BootEvent(
            time: boot.started.advanced(bySeconds: Double(number)),
            boot: boot.id,
            node: boot.node,
            mac: boot.mac,
            kind: kind,
            address: address(number),
            file: "vmlinuz",
            bytes: 14_200_000,
            seconds: 0.4,
            detail: "event \(number)"
        )
    }
}
