/// One immutable version of an image: `debian@7`.
public struct ImageVersionID: Hashable, Sendable, Comparable {
    /// The image.
    public var name: ImageName
    /// The version number, from 1 upwards, never used twice for one image.
    public var number: Int

    /// A version from its parts.
    public init(_ name: ImageName, _ number: Int) {
        self.name = name
        self.number = number
    }

    /// By name, then by number.
    public static func < (left: Self, right: Self) -> Bool { (left.name, left.number) < (right.name, right.number) }
}

extension ImageVersionID: LosslessStringConvertible, Codable {
    /// From `NAME@NUMBER`; else nil.
    public init?(_ description: String) {
        guard case .version(let version)? = ImageReference(description) else { return nil }
        self = version
    }

    /// `NAME@NUMBER`.
    public var description: String { "\(name)@\(number)" }

    /// From its text form.
    public init(from decoder: any Decoder) throws {
        self = try decodeText(from: decoder, "image version such as debian@7")
    }
    /// As its text form.
    public func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}

/// What settings say about the image to boot: `debian` (the newest version), `debian@7`, or `debian:lab` (a tag).
public enum ImageReference: Hashable, Sendable {
    /// The newest version of an image.
    case newest(ImageName)
    /// One version.
    case version(ImageVersionID)
    /// The version that a tag names.
    case tag(ImageName, String)

    /// The image it speaks of.
    public var name: ImageName {
        switch self {
        case .newest(let name), .tag(let name, _): name
        case .version(let version): version.name
        }
    }
}

extension ImageReference: LosslessStringConvertible, Codable {
    /// From `NAME`, `NAME@NUMBER` or `NAME:TAG`; else nil.
    public init?(_ description: String) {
        if let at = description.firstIndex(of: "@") {
            guard let name = ImageName(String(description[..<at])),
                let number = Int(description[description.index(after: at)...]), number > 0
            else { return nil }
            self = .version(ImageVersionID(name, number))
        } else if let colon = description.firstIndex(of: ":") {
            let tag = String(description[description.index(after: colon)...])
            guard let name = ImageName(String(description[..<colon])), ImageName(tag) != nil else { return nil }
            self = .tag(name, tag)
        } else {
            guard let name = ImageName(description) else { return nil }
            self = .newest(name)
        }
    }

    /// The text it is written as.
    public var description: String {
        switch self {
        case .newest(let name): name.description
        case .version(let version): version.description
        case .tag(let name, let tag): "\(name):\(tag)"
        }
    }

    /// From its text form.
    public init(from decoder: any Decoder) throws {
        self = try decodeText(from: decoder, "image: write debian, debian@7 or debian:tag")
    }
    /// As its text form.
    public func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}
