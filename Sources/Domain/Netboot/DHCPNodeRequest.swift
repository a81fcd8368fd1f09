public import BootModel
public import DHCP
import NetworkTypes

extension NodeRequest {
    /// What a DHCP message tells of the machine that sent it; nil when nothing names its hardware.
    ///
    /// A malformed option counts as absent here: a machine whose firmware writes one option wrongly still boots.
    public init?(dhcp message: DHCPMessage) {
        guard let mac = message.mac ?? Self.macInClientIdentifier(message) else { return nil }
        let vendorClass = message.vendorClass()
        let architecture = Self.architecture(message, vendorClass)
        self.init(
            mac: mac,
            uuid: ((try? message.machineUUID()) ?? nil).flatMap { $0.isUnset ? nil : $0 },
            architecture: architecture,
            stage: Self.stage(message, vendorClass, architecture),
            vendorClass: vendorClass?.text,
            relayPort: Self.relayPort(message),
            userClasses: ((try? message.userClasses()) ?? nil) ?? [],
            identities: Self.identities(message)
        )
    }

    /// The circuit id as text where a relay writes text, as most do; else its bytes in hexadecimal digits.
    private static func relayPort(_ message: DHCPMessage) -> String? {
        guard let bytes = ((try? message.relayAgentInformation()) ?? nil)?.circuit, !bytes.isEmpty else { return nil }
        if bytes.allSatisfy({ (0x20...0x7e).contains($0) }) { return String(decoding: bytes, as: UTF8.self) }
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }

    private static func identities(_ message: DHCPMessage) -> [DHCPIdentity] {
        var found: [DHCPIdentity] = []
        if let identifier = (try? message.clientIdentifier()) ?? nil { found.append(.client(identifier.bytes)) }
        guard let relay = (try? message.relayAgentInformation()) ?? nil else { return found }
        let (circuit, remote) = (relay.circuit, relay.remote)
        if circuit != nil, remote != nil { found.append(.relayPort(circuit: circuit, remote: remote)) }
        if let circuit { found.append(.relayPort(circuit: circuit, remote: nil)) }
        if let remote { found.append(.relayPort(circuit: nil, remote: remote)) }
        return found
    }

    /// Firmware that sends its UUID in place of the hardware address (EDK2's SendGUID) may still tell the address as
    /// client identifier of type 1.
    private static func macInClientIdentifier(_ message: DHCPMessage) -> MACAddress? {
        guard let identifier = (try? message.clientIdentifier()) ?? nil, identifier.type == 1,
            identifier.bytes.count == 7
        else { return nil }
        return MACAddress(bytes: identifier.bytes.dropFirst())
    }

    /// Option 93, the first of its list; else the number in the vendor class, as some ROMs have it only there.
    private static func architecture(_ message: DHCPMessage, _ vendorClass: VendorClass?) -> ClientArchitecture? {
        let listed = ((try? message.clientArchitectures()) ?? nil)?.first
        return (listed ?? vendorClass?.architecture).map(ClientArchitecture.init(rawValue:))
    }

    /// iPXE by its user class or its own options, HTTP Boot and PXE by vendor class, U-Boot by option 93 alone.
    private static func stage(
        _ message: DHCPMessage,
        _ vendorClass: VendorClass?,
        _ architecture: ClientArchitecture?
    ) -> BootStage {
        let options = (try? message.ipxeOptions()) ?? nil
        let features = options.map(IPXEFeatures.init(dhcp:)) ?? []
        let saysIPXE = ((try? message.userClasses()) ?? nil)?.contains("iPXE") ?? false
        if saysIPXE || (vendorClass?.isPXE == true && options?.version != nil) { return .ipxe(features) }
        if vendorClass?.isHTTP == true { return .firmwareHTTP }
        guard vendorClass?.isPXE == true || message.first(.clientArchitecture) != nil else { return .system }
        return architecture?.isHTTP == true ? .firmwareHTTP : .firmware
    }
}

extension IPXEFeatures {
    /// From iPXE's own options (175).
    init(dhcp options: IPXEOptions) {
        self = []
        let pairs: [(IPXEOptions.Feature, IPXEFeatures)] = [
            (.http, .http), (.bzImage, .bzImage), (.efi, .efi), (.menu, .menu), (.pxe, .pxe),
        ]
        for (feature, bit) in pairs where options.has(feature) { insert(bit) }
    }
}
