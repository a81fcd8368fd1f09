public import BootModel

/// One entry of the fleet as the fleet file has it, without secrets.
public struct EntryRecord: Hashable, Sendable, Codable {
    /// Its name.
    public var name: String
    /// What it says, under the keys of the fleet file; what is not said is not there.
    public var says: SettingValue

    /// A record from its parts.
    public init(name: String, says: SettingValue) {
        self.name = name
        self.says = says
    }

    /// What it says under a key, in words; nil when it says nothing there.
    public func words(_ key: String) -> String? {
        guard case .keys(let pairs) = says else { return nil }
        return pairs.first { $0.key == key }?.value.words
    }
}

/// Changes of one or several entries of one kind, all made or none.
public struct EntryEdit: Hashable, Sendable, Codable {
    /// A change of one key, as the command line writes it.
    public struct Change: Hashable, Sendable, Codable {
        /// The key: `image`, `root.writes`.
        public var key: String
        /// `=`, `+=`, `-=`, or empty to unset it.
        public var operation: String
        /// The value; a secret when the key is `password`.
        public var value: String

        /// A change from its parts.
        public init(key: String, operation: String, value: String) {
            self.key = key
            self.operation = operation
            self.value = value
        }
    }

    /// The names of the entries.
    public var names: [String]
    /// What changes.
    public var changes: [Change]
    /// `add` (they must not exist), `change` (they must) or `either`.
    public var mode: String
    /// Whether only to tell what would change.
    public var isDry: Bool

    /// An edit from its parts.
    public init(names: [String], changes: [Change], mode: String, isDry: Bool = false) {
        self.names = names
        self.changes = changes
        self.mode = mode
        self.isDry = isDry
    }
}

/// What a copy of the registry is called that the server has made for a backup, or shall restore.
public struct RegistryCopy: Hashable, Sendable, Codable {
    /// Its file name in the state directory.
    public var file: String
    /// Its size in bytes.
    public var bytes: Int64

    /// A copy from its parts.
    public init(file: String, bytes: Int64) {
        self.file = file
        self.bytes = bytes
    }
}
