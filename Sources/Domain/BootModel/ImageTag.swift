/// A name for one version of an image that can be moved: `debian:lab` is `debian@7`.
public struct ImageTag: Hashable, Sendable {
    /// The name of a tag, with its image's: `debian:lab`.
    public struct Name: Hashable, Sendable, Comparable, SettingText {
        /// The image.
        public let image: ImageName
        /// The tag.
        public let tag: String

        /// For messages.
        public static var form: String { "an image and its tag such as debian:lab" }

        /// From an image and a tag; nil when the tag is not a name.
        public init?(_ image: ImageName, _ tag: String) {
            guard ImageName(tag) != nil else { return nil }
            self.image = image
            self.tag = tag
        }

        /// From `IMAGE:TAG`; else nil.
        public init?(_ description: String) {
            guard case .tag(let image, let tag)? = ImageReference(description) else { return nil }
            self.init(image, tag)
        }

        /// `IMAGE:TAG`.
        public var description: String { "\(image):\(tag)" }

        /// By image, then by tag.
        public static func < (left: Self, right: Self) -> Bool {
            (left.image, left.tag) < (right.image, right.tag)
        }
    }

    /// Its name.
    public var name: Name
    /// The number of the version it names.
    public var number: Int

    /// A tag from its parts.
    public init(name: Name, number: Int) {
        self.name = name
        self.number = number
    }

    /// The version it names.
    public var version: ImageVersionID { ImageVersionID(name.image, number) }
}

extension Fleet {
    /// The reference with a tag replaced by the version that it names now; nil when nobody has set the tag.
    public func resolved(_ reference: ImageReference) -> ImageReference? {
        guard case .tag(let image, let tag) = reference else { return reference }
        return ImageTag.Name(image, tag).flatMap { tags[$0] }.map { .version($0.version) }
    }
}
