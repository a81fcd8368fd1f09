public import NetworkTypes

/// What a network says beyond its addresses: how its machines reach it, and what else they are handed.
public struct NetworkTerms: Hashable, Sendable {
    /// Networks of one such name lie on one wire: a machine there may get an address of any of them.
    ///
    /// Networks on one interface of the server lie on one wire without it.
    public var sharedNetwork: NetworkName?
    /// Relay agents whose own address lies in no subnet, or in another one than their clients'.
    public var relays: [IPv4Address] = []
    /// Time servers handed out (option 42).
    public var timeServers: [IPv4Address] = []
    /// Routes handed out (option 121).
    public var routes: [StaticRoute] = []
    /// Further options.
    public var options: [DHCPOptionSetting] = []
    /// Whether a machine that asks for an address it cannot have here is told so (NAK); otherwise it is left to others.
    public var isAuthoritative = true
    /// Whether an address is looked for on the wire before it is offered for the first time.
    public var probe = AddressProbe.auto
    /// Whether BOOTP clients without a reservation get an address of the pools, for good.
    public var answersBOOTP = false
    /// When PXE firmware is sent the vendor class that makes it ask port 4011 too.
    public var pxeClass = PXEClassEcho.auto
    /// What holds for machines that say certain things of themselves, all rules that fit in their order.
    public var matches: [MatchRule] = []

    /// Terms that say nothing.
    public init() {}

    /// The keys of the fleet file, in the order in which they are written.
    public static let keys = [
        "shared-network", "relays", "ntp", "routes", "options", "authoritative", "probe", "bootp", "pxe-class", "match",
    ]

    /// Takes in what stands under one of `keys`.
    ///
    /// Throws what is wrong with it and where.
    public mutating func set(_ key: String, _ value: SettingValue) throws(SettingError) {
        switch key {
        case "shared-network": sharedNetwork = try NetworkName(setting: value)
        case "relays": relays = try [IPv4Address](setting: value)
        case "ntp": timeServers = try [IPv4Address](setting: value)
        case "routes": routes = try [StaticRoute](setting: value)
        case "options": options = try [DHCPOptionSetting](setting: value)
        case "authoritative": isAuthoritative = try SettingTruth(setting: value).isTrue
        case "probe": probe = try AddressProbe(setting: value)
        case "bootp": answersBOOTP = try SettingTruth(setting: value).isTrue
        case "pxe-class": pxeClass = try PXEClassEcho(setting: value)
        case "match": matches = try [MatchRule](setting: value)
        default: break
        }
    }

    /// What is said, by key.
    public var pairs: [SettingValue.Pair] {
        var pairs: [SettingValue.Pair] = []
        if let sharedNetwork { pairs.append(.init("shared-network", sharedNetwork.setting)) }
        if !relays.isEmpty { pairs.append(.init("relays", relays.setting)) }
        if !timeServers.isEmpty { pairs.append(.init("ntp", timeServers.setting)) }
        if !routes.isEmpty { pairs.append(.init("routes", routes.setting)) }
        if !options.isEmpty { pairs.append(.init("options", options.setting)) }
        if !isAuthoritative { pairs.append(.init("authoritative", SettingTruth(false).setting)) }
        if probe != .auto { pairs.append(.init("probe", probe.setting)) }
        if answersBOOTP { pairs.append(.init("bootp", SettingTruth(true).setting)) }
        if pxeClass != .auto { pairs.append(.init("pxe-class", pxeClass.setting)) }
        if !matches.isEmpty { pairs.append(.init("match", matches.setting)) }
        return pairs
    }
}

extension NetworkTerms: Codable {
    /// From keys and values as the fleet file has them.
    public init(from decoder: any Decoder) throws {
        guard case .keys(let pairs) = try SettingValue(from: decoder) else { return }
        for pair in pairs { try set(pair.key, pair.value) }
    }

    /// As keys and values.
    public func encode(to encoder: any Encoder) throws { try SettingValue.keys(pairs).encode(to: encoder) }
}

/// Whether an address is looked for on the wire before a machine is offered it for the first time.
public enum AddressProbe: String, Hashable, Sendable, CaseIterable, SettingWord {
    /// By ARP on the server's own wires, within a tenth of a second; not through relays.
    case auto
    /// Never.
    case off
}

/// When PXE firmware that is given its address by us is also sent the vendor class `PXEClient`, upon which it asks the
/// boot server on port 4011 as well.
public enum PXEClassEcho: String, Hashable, Sendable, CaseIterable, SettingWord {
    /// To BIOS firmware, with the word that no second step is needed; UEFI takes the file name alone.
    case auto
    /// To all PXE firmware: it finishes on port 4011.
    case always
    /// To none: the file name alone.
    case never
}

/// A route that machines are handed: `{to: 10.8.0.0/16, via: 10.0.0.254}`.
public struct StaticRoute: Hashable, Sendable {
    /// Where it leads.
    public var subnet: IPv4Subnet
    /// The router on the machines' network.
    public var router: IPv4Address

    /// A route from its parts.
    public init(to subnet: IPv4Subnet, via router: IPv4Address) {
        self.subnet = subnet
        self.router = router
    }
}

extension StaticRoute: SettingCodable {
    /// From `{to: SUBNET, via: ADDRESS}`.
    public init(setting value: SettingValue) throws(SettingError) {
        let keys = try SettingKeys(value, of: "route", known: ["to", "via"])
        self.init(to: try keys.required("to"), via: try keys.required("via"))
    }

    /// The keys it is written with.
    public var setting: SettingValue { .keys([.init("to", subnet.setting), .init("via", router.setting)]) }
}

extension IPv4Subnet: SettingText {
    /// For messages.
    public static var form: String { "a subnet such as 10.0.0.0/24" }
}

extension NetworkName: SettingCodable {
    /// From one name.
    public init(setting value: SettingValue) throws(SettingError) {
        let text = try String(setting: value)
        do {
            self = try NetworkName(validating: text)
        } catch {
            throw SettingError("is no name: \(error)")
        }
    }
    /// The name.
    public var setting: SettingValue { .text(text) }
}

/// `true` or `false`, `yes` or `no`.
struct SettingTruth: SettingCodable {
    var isTrue: Bool
    init(_ isTrue: Bool) { self.isTrue = isTrue }

    init(setting value: SettingValue) throws(SettingError) {
        switch try String(setting: value) {
        case "true", "yes": isTrue = true
        case "false", "no": isTrue = false
        case let text: throw SettingError("\"\(text)\" is neither true nor false")
        }
    }

    var setting: SettingValue { .scalar(isTrue ? "true" : "false", isPlain: true) }
}
