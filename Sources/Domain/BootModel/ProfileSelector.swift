public import NetworkTypes

/// To which machines a profile applies itself: all conditions of one selector must hold.
public struct ProfileSelector: Hashable, Sendable {
    /// How the hardware address begins.
    public var mac: MACPrefix?
    /// The machine's UUID.
    public var uuid: MachineUUID?
    /// The architecture; the same one booted over HTTP counts as well.
    public var architecture: ClientArchitecture?
    /// How the vendor class of the firmware begins.
    public var vendorClass: String?
    /// The model of Raspberry Pi.
    public var raspberryPi: RaspberryPiModel?
    /// The port of the relay agent or switch, whole.
    public var relayPort: String?

    /// A selector without a condition; such a one is refused in a fleet.
    public init() {}

    /// How many conditions it has; more is more specific.
    public var count: Int { setting.pairs.count }

    /// Whether all of its conditions hold for a machine.
    public func matches(_ machine: MachineFacts) -> Bool {
        if let mac, machine.mac.map(mac.matches) != true { return false }
        if let uuid, machine.uuid != uuid { return false }
        if let architecture, machine.architecture?.withoutHTTP != architecture.withoutHTTP { return false }
        if let vendorClass, machine.vendorClass?.hasPrefix(vendorClass) != true { return false }
        if let raspberryPi, machine.raspberryPi != raspberryPi { return false }
        if let relayPort, machine.relayPort != relayPort { return false }
        return count > 0
    }

    /// For a sentence: `mac b8:27:eb, architecture arm64-efi`.
    public var words: String { setting.pairs.map { "\($0.key) \($0.value.words)" }.joined(separator: ", ") }
}

extension ProfileSelector: SettingCodable {
    private static let keys = ["mac", "uuid", "architecture", "vendor-class", "raspberry-pi", "relay-port"]

    /// From keys and values.
    public init(setting value: SettingValue) throws(SettingError) {
        let keys = try SettingKeys(value, of: "selector", known: Self.keys)
        mac = try keys.optional("mac")
        uuid = try keys.optional("uuid")
        architecture = try keys.optional("architecture")
        vendorClass = try keys.optional("vendor-class")
        raspberryPi = try keys.optional("raspberry-pi")
        relayPort = try keys.optional("relay-port")
        guard count > 0 else { throw SettingError("needs at least one of \(Self.keys.joined(separator: ", "))") }
    }

    /// The conditions that it has.
    public var setting: SettingValue {
        let values: [(any SettingCodable)?] = [mac, uuid, architecture, vendorClass, raspberryPi, relayPort]
        return .keys(zip(Self.keys, values).compactMap { key, value in value.map { .init(key, $0.setting) } })
    }
}

extension SettingValue {
    fileprivate var pairs: [Pair] { if case .keys(let pairs) = self { pairs } else { [] } }
}

/// The first bytes of a hardware address: `b8:27:eb` for a maker, or a whole address.
public struct MACPrefix: Hashable, Sendable, SettingText {
    /// One to six bytes.
    public let bytes: [UInt8]

    /// For messages.
    public static var form: String { "the beginning of a MAC address such as b8:27:eb" }

    /// From pairs of digits between colons or dashes; else nil.
    public init?(_ description: String) {
        let pairs = description.split(
            separator: description.contains("-") ? "-" : ":",
            omittingEmptySubsequences: false
        )
        let bytes = pairs.compactMap { pair in
            pair.utf8.count == 2 && pair.allSatisfy(\.isHexDigit) ? UInt8(pair, radix: 16) : nil
        }
        guard bytes.count == pairs.count, (1...6).contains(bytes.count) else { return nil }
        self.bytes = bytes
    }

    /// Pairs of digits between colons.
    public var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }

    /// Whether an address begins so.
    public func matches(_ mac: MACAddress) -> Bool {
        bytes.enumerated().allSatisfy { index, byte in
            UInt8(truncatingIfNeeded: mac.value >> UInt64(8 * (5 - index))) == byte
        }
    }
}

extension MachineUUID: SettingText {
    /// For messages.
    public static var form: String { "a UUID such as 4c4c4544-0042-3510-8054-b4c04f4d3232" }
}

extension ClientArchitecture: SettingText {
    /// For messages.
    public static var form: String {
        "an architecture: \(known.map(\.name).joined(separator: ", ")), or a number of option 93"
    }
    /// The short name, or the number.
    public var description: String { name }

    /// The architecture as the firmware tells it when it boots by TFTP, and the loaders after it.
    var withoutHTTP: ClientArchitecture {
        switch self {
        case .ia32HTTP: .ia32EFI
        case .x64HTTP, .efiByteCode: .x64EFI
        case .arm32HTTP: .arm32EFI
        case .arm64HTTP: .arm64EFI
        case .biosHTTP: .bios
        default: self
        }
    }
}
