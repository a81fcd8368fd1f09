/// What holds on a network for machines that say certain things of themselves:
/// `{vendor-class: "Cisco*", answer: ignore}`.
///
/// A rule fits when everything that it names fits.
public struct MatchRule: Hashable, Sendable {
    /// What machines get that a rule fits.
    public enum Answer: String, Hashable, Sendable, CaseIterable, SettingWord {
        /// An address and what to boot, also when `unknown-nodes` gives less.
        case boot
        /// An address, no boot.
        case addressOnly = "address-only"
        /// Nothing.
        case ignore
    }

    /// How the vendor class (option 60) reads; a `*` at its end stands for anything.
    public var vendorClass: String?
    /// How one of the user classes (option 77) reads; a `*` at its end stands for anything.
    public var userClass: String?
    /// What the machine is (option 93).
    public var architecture: ClientArchitecture?
    /// What it gets; nil leaves that to others.
    public var answer: Answer?
    /// Options it is handed besides the network's.
    public var options: [DHCPOptionSetting]

    /// A rule from its parts.
    public init(
        vendorClass: String? = nil,
        userClass: String? = nil,
        architecture: ClientArchitecture? = nil,
        answer: Answer? = nil,
        options: [DHCPOptionSetting] = []
    ) {
        self.vendorClass = vendorClass
        self.userClass = userClass
        self.architecture = architecture
        self.answer = answer
        self.options = options
    }

    /// Whether it fits what a machine told.
    public func fits(_ request: NodeRequest) -> Bool {
        if let vendorClass, !Self.fits(vendorClass, request.vendorClass) { return false }
        if let userClass, !request.userClasses.contains(where: { Self.fits(userClass, $0) }) { return false }
        if let architecture, architecture != request.architecture { return false }
        return true
    }

    private static func fits(_ pattern: String, _ text: String?) -> Bool {
        guard let text else { return false }
        return pattern.hasSuffix("*") ? text.hasPrefix(pattern.dropLast()) : text == pattern
    }
}

extension MatchRule: SettingCodable {
    /// From `{vendor-class?, user-class?, architecture?, answer?, options?}`.
    public init(setting value: SettingValue) throws(SettingError) {
        let keys = try SettingKeys(
            value,
            of: "match rule",
            known: ["vendor-class", "user-class", "architecture", "answer", "options"]
        )
        self.init(
            vendorClass: try keys.optional("vendor-class"),
            userClass: try keys.optional("user-class"),
            answer: try keys.optional("answer"),
            options: try keys.optional("options") ?? []
        )
        if let text: String = try keys.optional("architecture") {
            guard let architecture = ClientArchitecture(text) else {
                throw SettingError("\"\(text)\" is not an architecture such as bios, x64-efi or 7")
                    .inside(.key("architecture"))
            }
            self.architecture = architecture
        }
        guard vendorClass != nil || userClass != nil || architecture != nil else {
            throw SettingError("needs vendor-class, user-class or architecture: what it fits")
        }
    }

    /// The keys it is written with.
    public var setting: SettingValue {
        var pairs: [SettingValue.Pair] = []
        if let vendorClass { pairs.append(.init("vendor-class", vendorClass.setting)) }
        if let userClass { pairs.append(.init("user-class", userClass.setting)) }
        if let architecture { pairs.append(.init("architecture", architecture.name.setting)) }
        if let answer { pairs.append(.init("answer", answer.setting)) }
        if !options.isEmpty { pairs.append(.init("options", options.setting)) }
        return .keys(pairs)
    }
}
