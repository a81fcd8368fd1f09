public import NetworkTypes

/// What a machine has told of itself while it boots, for profiles that apply themselves.
public struct MachineFacts: Hashable, Sendable, Codable {
    /// The hardware address it boots from.
    public var mac: MACAddress?
    /// Its machine's UUID.
    public var uuid: MachineUUID?
    /// What kind of machine and firmware it is.
    public var architecture: ClientArchitecture?
    /// The vendor class of its firmware.
    public var vendorClass: String?
    /// The port of the relay agent or switch that it hangs on (option 82, circuit id), as that one writes it.
    public var relayPort: String?

    /// Facts from their parts.
    public init(
        mac: MACAddress? = nil,
        uuid: MachineUUID? = nil,
        architecture: ClientArchitecture? = nil,
        vendorClass: String? = nil,
        relayPort: String? = nil
    ) {
        self.mac = mac
        self.uuid = uuid
        self.architecture = architecture
        self.vendorClass = vendorClass
        self.relayPort = relayPort
    }

    /// What a request tells.
    public init(_ request: NodeRequest) {
        self.init(
            mac: request.mac,
            uuid: request.uuid,
            architecture: request.architecture,
            vendorClass: request.vendorClass,
            relayPort: request.relayPort
        )
    }

    /// What is known of a node before it asks: its first hardware address and its UUID.
    public init(_ node: Node) { self.init(mac: node.macs.first, uuid: node.uuid) }

    /// These facts, and those of `other` where these say nothing.
    public func completed(by other: MachineFacts?) -> MachineFacts {
        MachineFacts(
            mac: mac ?? other?.mac,
            uuid: uuid ?? other?.uuid,
            architecture: architecture ?? other?.architecture,
            vendorClass: vendorClass ?? other?.vendorClass,
            relayPort: relayPort ?? other?.relayPort
        )
    }

    /// These facts, but those of `other` where it says something.
    public func overridden(by other: MachineFacts?) -> MachineFacts { other?.completed(by: self) ?? self }

    /// The model of Raspberry Pi it is; nil when it is none, or does not tell.
    public var raspberryPi: RaspberryPiModel? {
        mac.flatMap { RaspberryPi(mac: $0, uuid: uuid) }.flatMap(RaspberryPiModel.init)
    }
}

/// A model of Raspberry Pi: bits 4 to 11 of the revision code that its boot loader tells (Raspberry Pi documentation,
/// "Raspberry Pi revision codes").
public struct RaspberryPiModel: RawRepresentable, Hashable, Sendable {
    /// The model number of the revision code.
    public let rawValue: UInt8
    /// From the model number of a revision code.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    private static let names: [(UInt8, String)] = [
        (0x04, "2B"), (0x08, "3B"), (0x0a, "cm3"), (0x0d, "3B+"), (0x0e, "3A+"), (0x10, "cm3+"), (0x11, "4B"),
        (0x12, "zero2w"), (0x13, "400"), (0x14, "cm4"), (0x15, "cm4s"), (0x17, "5"), (0x18, "cm5"), (0x19, "500"),
        (0x1a, "cm5lite"),
    ]

    /// From what a board tells; nil when it does not tell its revision code.
    public init?(_ board: RaspberryPi) {
        guard let revision = board.revision else { return nil }
        self.init(rawValue: UInt8(truncatingIfNeeded: revision >> 4))
    }
}

extension RaspberryPiModel: SettingText {
    /// For messages.
    public static var form: String {
        "a model of Raspberry Pi: \(names.map(\.1).joined(separator: ", ")), or the number of a revision code's model"
    }

    /// From a model's name in any case, or its number; else nil.
    public init?(_ description: String) {
        if let known = Self.names.first(where: { $0.1.lowercased() == description.lowercased() }) {
            self.init(rawValue: known.0)
        } else {
            guard description.hasPrefix("0x"), let number = UInt8(description.dropFirst(2), radix: 16) else {
                return nil
            }
            self.init(rawValue: number)
        }
    }

    /// The model's name; its number when it has none here.
    public var description: String {
        Self.names.first { $0.0 == rawValue }?.1 ?? "0x" + String(rawValue, radix: 16)
    }
}
