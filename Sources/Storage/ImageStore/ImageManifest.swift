public import BootModel

/// What `manifest.json` of an image version says: the version itself and where it came from.
public struct ImageManifest: Hashable, Sendable {
    /// The layout of the document that this program writes; newer ones are refused.
    public static let currentSchema = 1

    /// The layout of the document.
    public var schema: Int
    /// The version: identity, architecture, kernel, files with their sizes and digests.
    public var version: ImageVersion
    /// Files beside those of the version's roles, such as `packages.txt`.
    public var extraFiles: [ImageFile]
    /// How the version was made.
    public var provenance: ImageProvenance

    /// A manifest of the current layout.
    public init(version: ImageVersion, extraFiles: [ImageFile] = [], provenance: ImageProvenance) {
        schema = Self.currentSchema
        self.version = version
        self.extraFiles = extraFiles
        self.provenance = provenance
    }

    /// Every file that the version's directory holds besides the manifest, by name.
    public var allFiles: [ImageFile] {
        (Array(version.files.values) + extraFiles).sorted { $0.name < $1.name }
    }

    /// The sum of the files' sizes, in bytes.
    public var size: Int64 { allFiles.reduce(0) { $0 + $1.size } }
}

/// How an image version was made: enough to make it again, and to say what is in it.
public struct ImageProvenance: Hashable, Sendable, Codable {
    /// The recipe: `debian`.
    public var recipe: String
    /// The distribution's release, where the recipe has one: `bookworm`.
    public var suite: String?
    /// The mirror, when one was given.
    public var mirror: String?
    /// How many packages are installed; `packages.txt` lists them with their versions.
    public var packageCount: Int?
    /// The tools that took part, with the versions they report.
    public var tools: [String: String]
    /// The command line, with secrets left out.
    public var command: [String]

    /// A provenance from its parts.
    public init(
        recipe: String,
        suite: String? = nil,
        mirror: String? = nil,
        packageCount: Int? = nil,
        tools: [String: String] = [:],
        command: [String] = []
    ) {
        self.recipe = recipe
        self.suite = suite
        self.mirror = mirror
        self.packageCount = packageCount
        self.tools = tools
        self.command = command
    }
}

extension ImageManifest: Codable {
    private enum Key: String, CodingKey {
        case schema, name, number, created, architecture, kernelRelease, kernelArguments, rootFormat, files, extraFiles
        case provenance
    }

    /// Decodes the document's current layout.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        schema = try values.decode(Int.self, forKey: .schema)
        let number = try values.decode(Int.self, forKey: .number)
        guard number > 0 else {
            throw DecodingError.dataCorruptedError(forKey: .number, in: values, debugDescription: "numbers begin at 1")
        }
        version = ImageVersion(
            id: ImageVersionID(try values.decode(ImageName.self, forKey: .name), number),
            architecture: try values.decode(String.self, forKey: .architecture),
            kernelRelease: try values.decode(String.self, forKey: .kernelRelease),
            rootFormat: try values.decode(RootFormat.self, forKey: .rootFormat),
            created: try values.decode(Timestamp.self, forKey: .created),
            kernelArguments: try values.decode([String].self, forKey: .kernelArguments),
            files: try values.decode([ImageFileRole: ImageFile].self, forKey: .files)
        )
        extraFiles = try values.decodeIfPresent([ImageFile].self, forKey: .extraFiles) ?? []
        provenance = try values.decode(ImageProvenance.self, forKey: .provenance)
    }

    /// Encodes the document's current layout.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(schema, forKey: .schema)
        try values.encode(version.id.name, forKey: .name)
        try values.encode(version.id.number, forKey: .number)
        try values.encode(version.created, forKey: .created)
        try values.encode(version.architecture, forKey: .architecture)
        try values.encode(version.kernelRelease, forKey: .kernelRelease)
        try values.encode(version.kernelArguments, forKey: .kernelArguments)
        try values.encode(version.rootFormat, forKey: .rootFormat)
        try values.encode(version.files, forKey: .files)
        try values.encode(extraFiles, forKey: .extraFiles)
        try values.encode(provenance, forKey: .provenance)
    }
}
