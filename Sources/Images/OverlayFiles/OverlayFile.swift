import CPIO

/// One file that is laid over a node's root.
///
/// Also the interface by which other parts of the program give a node files of their own: see `OverlayContributor`.
public struct OverlayFile: Hashable, Sendable {
    /// What a file is.
    public enum Kind: Hashable, Sendable {
        /// A regular file with its content.
        case file([UInt8])
        /// A directory; one that the image has keeps the image's mode and owner.
        case directory
        /// A symbolic link to a target, which need not exist.
        case link(to: String)
    }

    /// The path on the node without a leading slash: `etc/hostname`.
    public var path: String
    /// What it is.
    public var kind: Kind
    /// The lower twelve bits of the mode; without meaning for links.
    public var permissions: UInt32
    /// The owner's number.
    public var owner: UInt32
    /// The group's number.
    public var group: UInt32
    /// Whether its content is shown to nobody and leaves the server for the node that boots alone.
    public var isSecret: Bool
    /// Whether it is another one at each boot: then it tells no difference between two.
    public var isOfOneBoot = false
    /// Where it came from, for people: `set base (built in)`.
    public var source: String

    /// A file from its parts.
    public init(
        path: String,
        kind: Kind,
        permissions: UInt32,
        owner: UInt32 = 0,
        group: UInt32 = 0,
        isSecret: Bool = false,
        source: String = ""
    ) {
        self.path = path
        self.kind = kind
        self.permissions = permissions & 0o7777
        self.owner = owner
        self.group = group
        self.isSecret = isSecret
        self.source = source
    }

    /// A regular file of text; a secret one is readable by its owner alone unless said otherwise.
    public static func text(
        _ path: String,
        _ text: String,
        permissions: UInt32? = nil,
        isSecret: Bool = false
    ) -> OverlayFile {
        OverlayFile(
            path: path,
            kind: .file(Array(text.utf8)),
            permissions: permissions ?? (isSecret ? 0o600 : 0o644),
            isSecret: isSecret
        )
    }

    /// A symbolic link.
    public static func link(_ path: String, to target: String) -> OverlayFile {
        OverlayFile(path: path, kind: .link(to: target), permissions: 0o777)
    }

    /// How many bytes it carries.
    public var size: Int {
        switch kind {
        case .file(let bytes): bytes.count
        case .link(let target): target.utf8.count
        case .directory: 0
        }
    }

    /// Why a path cannot be that of an overlay file; nil when it can.
    public static func problem(withPath path: String) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }),
            path.utf8.count <= 1024
        else { return "is not the path of a file below the root" }
        // node/lay-overlay reads paths line by line.
        if path.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
            return "holds a control character"
        }
        return nil
    }

    /// The archive entry, below `folder`.
    func entry(in folder: String) -> CPIOEntry {
        var entry: CPIOEntry
        let place = folder + "/" + path
        switch kind {
        case .file(let bytes): entry = .file(place, bytes, permissions: permissions)
        case .directory: entry = .directory(place, permissions: permissions)
        case .link(let target): entry = .link(place, to: target)
        }
        entry.owner = owner
        entry.group = group
        return entry
    }
}

extension OverlayFile: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Its path and size; a content never gets into a log this way.
    public var description: String { "\(path) (\(size) bytes\(isSecret ? ", secret" : ""))" }
    /// The same.
    public var debugDescription: String { description }
    /// Without the content.
    public var customMirror: Mirror { Mirror(self, children: ["path": path, "size": size]) }
}
