import BootModel

/// The settings of a node or profile as the registry keeps them: keys of its own, so that renaming a property of the
/// model does not change what is on disk.
struct StoredSettings: Codable {
    var image: ImageReference?
    var via: RootVia?
    var writes: RootWrites?
    var kernelArguments: [String]?

    private enum CodingKeys: String, CodingKey {
        case image, via, writes
        case kernelArguments = "kernel-arguments"
    }

    /// As JSON.
    static func write(_ settings: Settings) throws -> String {
        guard settings != Settings() else { return "{}" }
        return try JSONText.write(
            StoredSettings(
                image: settings.image,
                via: settings.via,
                writes: settings.writes,
                kernelArguments: settings.kernelArguments
            )
        )
    }

    /// From JSON.
    static func read(_ text: String, _ table: String) throws -> Settings {
        guard text != "{}" else { return Settings() }
        let stored: StoredSettings = try JSONText.read(text, table)
        return Settings(
            image: stored.image,
            via: stored.via,
            writes: stored.writes,
            kernelArguments: stored.kernelArguments
        )
    }
}
