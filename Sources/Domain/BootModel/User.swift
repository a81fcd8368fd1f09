/// A person who may log in to nodes.
public struct User: Hashable, Sendable {
    /// The name to log in with; also that of the user's own group.
    public var name: UserName
    /// The user id, and the id of the user's own group.
    public var uid: UInt32
    /// Further groups, by name; those that an image lacks are made.
    public var groups: [UserName]
    /// The name in full.
    public var fullName: String?
    /// The login shell.
    public var shell: NodePath
    /// The home directory on the node.
    public var home: NodePath
    /// The hash of the password; nil for none, which lets nobody in by password.
    public var password: PasswordHash?
    /// Keys for ssh.
    public var sshKeys: [SSHPublicKey]
    /// The profiles on whose nodes the user may log in; empty for every node.
    public var profiles: [ProfileName]

    /// A user from their parts; shell and home have the usual defaults.
    public init(
        name: UserName,
        uid: UInt32,
        groups: [UserName] = [],
        fullName: String? = nil,
        shell: NodePath = User.defaultShell,
        home: NodePath? = nil,
        password: PasswordHash? = nil,
        sshKeys: [SSHPublicKey] = [],
        profiles: [ProfileName] = []
    ) {
        self.name = name
        self.uid = uid
        self.groups = groups
        self.fullName = fullName
        self.shell = shell
        self.home = home ?? User.defaultHome(of: name)
        self.password = password
        self.sshKeys = sshKeys
        self.profiles = profiles
    }

    /// The shell of who says none.
    public static let defaultShell = NodePath(checked: "/bin/bash")
    /// The home directory of who says none.
    public static func defaultHome(of name: UserName) -> NodePath { NodePath(checked: "/home/\(name)") }
    /// The ids that a user may have: those below belong to an image's own accounts, 65534 to `nobody`.
    public static let ids: ClosedRange<UInt32> = 1000...2_147_483_647
}

/// The hash of a password as `crypt(5)` writes it; a secret: its description hides it.
public struct PasswordHash: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The hash, for the node's `/etc/shadow`, the registry and an export that was asked for secrets.
    public let secret: String

    /// Methods that resist guessing: yescrypt, gost-yescrypt, scrypt, bcrypt, SHA-512 and SHA-256.
    private static let methods = ["$y$", "$gy$", "$7$", "$2a$", "$2b$", "$2y$", "$6$", "$5$"]

    /// From a hash of one of these methods; else nil.
    public init?(_ text: String) {
        guard Self.methods.contains(where: text.hasPrefix), (20...384).contains(text.utf8.count),
            text.utf8.allSatisfy({ byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: "./$,=".utf8.contains(byte)
                }
            })
        else { return nil }
        secret = text
    }

    /// What it looks like, for messages.
    public static let form =
        "a password hash such as $y$… (yescrypt; make one with 'diskless user set NAME --password' or mkpasswd)"

    /// Never the hash.
    public var description: String { "(hidden)" }
    /// Never the hash, also for debuggers and `dump`.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A public key for ssh: one line of `authorized_keys`, without options.
public struct SSHPublicKey: Hashable, Sendable, SettingText {
    /// The line.
    public let text: String

    /// For messages.
    public static var form: String { "an ssh public key such as \"ssh-ed25519 AAAA… name\"" }

    /// From a line of kind, base64 and perhaps a comment; else nil.
    public init?(_ description: String) {
        let words = description.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2, description.utf8.count <= 16_384,
            words[0].hasPrefix("ssh-") || words[0].hasPrefix("ecdsa-sha2-") || words[0].hasPrefix("sk-"),
            words[0].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            words[1].hasPrefix("AAAA"),
            words[1].utf8.allSatisfy({ byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: "+/=".utf8.contains(byte)
                }
            }),
            !description.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        text = description
    }

    /// The line.
    public var description: String { text }
}

extension Fleet {
    /// Who may log in to a node with these settings, by name.
    ///
    /// When its settings name users: those, and whoever's own profiles have one of the node's. Else: whoever's own
    /// profiles have one of the node's, and whoever names no profile.
    public func users(of settings: EffectiveSettings) -> [User] {
        let asked = Set(settings.profiles.map(\.name))
        let named = settings.users.map { Set($0.value) }
        return users.values.filter { user in
            if named?.contains(user.name) == true || user.profiles.contains(where: asked.contains) { return true }
            return named == nil && user.profiles.isEmpty
        }
        .sorted { $0.name < $1.name }
    }

    var userProblems: [FleetProblem] {
        var found: [FleetProblem] = []
        var owners: [UInt32: UserName] = [:]
        for user in users.values.sorted(by: { $0.name < $1.name }) {
            let subject = "user \(user.name)"
            if let owner = owners[user.uid] {
                found.append(
                    FleetProblem(
                        subject,
                        key: "uid",
                        value: "\(user.uid)",
                        "uid \(user.uid) belongs to user \(owner) already; give another one"
                    )
                )
            } else {
                owners[user.uid] = user.name
            }
            if !User.ids.contains(user.uid) || (65_534...65_535).contains(user.uid) {
                found.append(
                    FleetProblem(
                        subject,
                        key: "uid",
                        "uid \(user.uid) belongs to the images' own accounts; use 1000 or more, and neither 65534 nor 65535"
                    )
                )
            }
            for name in user.profiles where profiles[name] == nil && name != .default {
                found.append(FleetProblem(subject, key: "profiles", value: "\(name)", unknown(profile: name)))
            }
            if let text = user.fullName,
                text.contains(":") || text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            {
                found.append(
                    FleetProblem(subject, key: "full-name", "the full name holds a colon or a control character")
                )
            }
            for (key, path) in [("shell", user.shell), ("home", user.home)] where path.text.contains(":") {
                found.append(FleetProblem(subject, key: key, "\(key) \(path) holds a colon, which /etc/passwd cannot"))
            }
        }
        return found
    }
}
