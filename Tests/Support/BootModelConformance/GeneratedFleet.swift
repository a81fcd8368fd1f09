package import BootModel
import NetworkTypes

/// Fleets made up at random, without contradictions, that use everything a fleet can say.
package struct GeneratedFleet {
    private var generator: Numbers
    /// Whether roots may lie on other servers; then none is kept on this one, since a fleet's settings must go together.
    private var hasOtherServers = false

    /// The same seed makes the same fleet.
    package init(seed: UInt64) { generator = Numbers(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1) }

    /// A fleet of up to ten entries of each kind.
    package mutating func fleet() -> Fleet {
        var fleet = Fleet()
        hasOtherServers = flip()
        for number in 0..<below(4) { if let network = network(number) { fleet.set(network) } }
        let profiles = (0..<below(8)).map { ProfileName(checked: $0 == 0 ? "default" : "p\($0)") }
        let users = (0..<below(6)).map { UserName(checked: "user\($0)") }
        for (number, name) in profiles.enumerated() {
            // Only from what comes later, so that there is no cycle.
            var profile = Profile(name: name, inherits: some(of: Array(profiles[(number + 1)...])))
            profile.selectors = (0..<below(3)).compactMap { _ in selector() }
            profile.settings = settings(users)
            fleet.set(profile)
        }
        for (number, name) in users.enumerated() {
            var user = User(name: name, uid: UInt32(1000 + number * 7))
            user.groups = some(of: ["audio", "video", "cdrom"].map { UserName(checked: $0) })
            if flip() { user.fullName = fullName() }
            if flip() { user.home = NodePath("/srv/\(name) x") ?? user.home }
            if flip() { user.password = PasswordHash("$y$j9T$\(name)$abcdefghijklmnopqrstuvwxyz./0123456789") }
            if flip() {
                user.sshKeys = [SSHPublicKey("ssh-ed25519 AAAAC3NzaC1lZDI1 \(name)@lab \"x\"")].compactMap(\.self)
            }
            user.profiles = some(of: profiles)
            fleet.set(user)
        }
        for number in 0..<below(10) {
            var node = Node(name: NodeName(checked: "n\(number)"), macs: [Sample.mac(number)])
            if flip() { node.uuid = MachineUUID(bytes: (0..<16).map { _ in UInt8(below(256)) }) }
            node.profiles = some(of: profiles)
            node.settings = settings(users)
            fleet.set(node)
        }
        for number in 0..<below(4) {
            guard let name = ImageTag.Name("debian:t\(number)") else { continue }
            fleet.set(ImageTag(name: name, number: 1 + below(1000)))
        }
        return fleet
    }

    private mutating func network(_ number: Int) -> BootModel.Network? {
        guard let subnet = IPv4Subnet("10.\(number).0.0/16") else { return nil }
        var network = BootModel.Network(name: NetworkName(checked: "net\(number)"), subnet: subnet)
        if flip() { network.interface = "eth\(number)" }
        network.dhcp = [.full, .proxy, .off][below(3)]
        if flip() { network.pools = [IPv4Range("10.\(number).1.0-10.\(number).2.\(below(256))")].compactMap(\.self) }
        if flip() { network.router = IPv4Address(10, UInt8(number), 0, 1) }
        if flip() { network.nameservers = [IPv4Address(9, 9, 9, 9), IPv4Address(8, 8, 8, 8)] }
        if flip() { network.domain = "lab\(number).example" }
        network.leaseSeconds = UInt32(60 + below(1_000_000))
        network.unknownNodes = [.boot, .addressOnly, .ignore][below(3)]
        return network
    }

    private mutating func settings(_ users: [UserName]) -> Settings {
        var settings = Settings()
        if flip() { settings.image = image() }
        if flip() { settings.writes = [RootWrites.none, .ram, .cow][below(hasOtherServers ? 2 : 3)] }
        if flip() { settings.via = .nbd }
        if flip() { settings.rootVersion = NFSVersion.allCases[below(NFSVersion.allCases.count)] }
        if hasOtherServers, flip() { settings.rootServer = IPv4Address(10, 0, 0, UInt8(below(256))) }
        if flip() {
            settings.kernelArguments = (0..<below(4)).map { _ in text() }.filter {
                KernelArgument.problem(with: $0) == nil
            }
        }
        if flip() { settings.loader = LoaderPreference.allCases[below(LoaderPreference.allCases.count)] }
        if flip() { settings.menuTimeout = MenuTimeout(seconds: below(1000)) }
        if flip() { settings.menuEntries = Array(Set([.localDisk, .memoryTest, .image(image())])) }
        if flip() {
            settings.mounts = (0..<below(3)).map { number in
                flip()
                    ? .tmpfs(
                        at: path("t\(number)"),
                        size: flip() ? ByteCount(bytes: Int64(1 + below(1 << 40))) : nil,
                        mode: flip() ? FileMode(bits: UInt16(below(0o10000))) : nil
                    )
                    : .nfs(
                        path("srv"),
                        at: path("m\(number)"),
                        mode: flip() ? .readOnly : .readWrite,
                        server: flip() ? IPv4Address(10, 9, 9, 9) : nil,
                        version: NFSVersion.allCases[below(NFSVersion.allCases.count)]
                    )
            }
        }
        if flip() { settings.state = (0..<below(3)).map { path("s\($0)") } }
        if flip() { settings.volatile = (0..<below(3)).map { path("v\($0)") } }
        if flip() { settings.files = some(of: ["base", "lab", "x.y_z-1"].map { OverlaySetName(checked: $0) }) }
        if flip() {
            settings.variables = [:]
            for number in 0..<below(5) {
                guard let name = VariableName("v_\(number)") else { continue }
                settings.variables?[name] =
                    [.text(text()), .number(below(1 << 40) - (1 << 39)), .truth(flip()), .text("12"), .text("true")][
                        below(5)
                    ]
            }
        }
        if flip() { settings.swap = ByteCount(bytes: Int64(1 + below(1 << 40))) }
        if flip() { settings.volume = ByteCount(bytes: Int64(1 + below(1 << 20)) << 20) }
        if flip() {
            settings.options = [
                DHCPOptionSetting(code: 200, content: .bytes([0, UInt8(below(256))])),
                DHCPOptionSetting(code: 26, content: .number(UInt32(below(65536)), bytes: 2)),
                DHCPOptionSetting(code: 201, content: .text("x" + text())),
                DHCPOptionSetting(code: 42, content: .addresses([IPv4Address(1, 2, 3, 4)])),
            ]
        }
        if flip() { settings.users = some(of: users) }
        if flip() { settings.autologin = UserName(checked: "nobody-in-particular") }
        return settings
    }

    private mutating func selector() -> ProfileSelector? {
        var selector = ProfileSelector()
        if flip() { selector.mac = MACPrefix("b8:27:eb") }
        if flip() { selector.uuid = MachineUUID(bytes: (0..<16).map { _ in UInt8(below(256)) }) }
        if flip() { selector.architecture = ClientArchitecture(rawValue: UInt16(below(40))) }
        if flip() { selector.vendorClass = "PXEClient" + text() }
        if flip() { selector.raspberryPi = RaspberryPiModel(rawValue: UInt8(below(256))) }
        if flip() { selector.relayPort = "p" + text() }
        return selector.count > 0 ? selector : nil
    }

    private mutating func image() -> ImageReference {
        let name = ImageName(checked: ["debian", "a.b_c-1", "no", "1e3", "7"][below(5)])
        return [.newest(name), .version(ImageVersionID(name, 1 + below(99))), .tag(name, "lab")][below(3)]
    }

    private mutating func path(_ first: String) -> NodePath {
        NodePath("/\(first)/a b\(below(1000))#:'\"é") ?? NodePath("/\(first)") ?? User.defaultShell
    }

    /// Text with everything that YAML, JSON and shells have a meaning for.
    private mutating func text() -> String {
        let pieces = [
            "a", "B", "0", " ", "\"", "'", "\\", "#", ": ", "- ", "&", "*", "!", "|", ">", "%", "@", "`", "{", "}", "[",
            "]", ",", "?", "\n", "\t", "\r", "é", "𝄞", "\u{7f}", "\u{85}", "\u{2028}", "\u{feff}", "null", "~", "yes",
            "1:20", "0x1F", "1_000", "=", "<<", "---", "...", "\u{1b}", "\u{0}",
        ]
        // Foundation, which decodes the file's scalars, drops a byte order mark at the beginning of a text.
        return (0..<below(8)).map { _ in pieces[below(pieces.count)] }.joined().trimmingMark()
    }

    private mutating func fullName() -> String {
        String(
            String.UnicodeScalarView(
                text().unicodeScalars.filter {
                    $0 != ":" && $0 != "\u{feff}" && $0.properties.generalCategory != .control
                }
            )
        )
    }

    private mutating func some<Element>(of elements: [Element]) -> [Element] {
        var left = elements
        var taken: [Element] = []
        while !left.isEmpty, flip() { taken.append(left.remove(at: below(left.count))) }
        return taken
    }

    private mutating func flip() -> Bool { below(2) == 0 }
    private mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &generator) }

    /// Marsaglia's xorshift64.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }
}

extension String {
    fileprivate func trimmingMark() -> String {
        String(String.UnicodeScalarView(unicodeScalars.drop { $0 == "\u{feff}" }))
    }
}
