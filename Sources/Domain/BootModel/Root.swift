/// How a node's root reaches it.
public enum RootVia: String, Hashable, Sendable, Codable, CaseIterable {
    /// A block device over NBD.
    case nbd
    /// A directory tree over NFS.
    case nfs
    /// The image file, loop-mounted from NFS.
    case nfsImage = "nfs-image"
    /// The image fetched whole over HTTP into the node's memory.
    case ram
}

/// Where a node's writes go.
public enum RootWrites: String, Hashable, Sendable, Codable, CaseIterable {
    /// Nowhere: the root is read-only.
    case none
    /// Into the node's memory, gone at power-off.
    case ram
    /// Into a private layer on the server, dropped at the node's next boot.
    case cow
    /// Into the node's own volume, kept over boots and image updates.
    case keep
    /// Into the image itself, by one writer.
    case shared
}

/// The kind of root a node gets: a cell of the table in docs/architecture.md.
public struct RootChoice: Hashable, Sendable, Codable {
    /// How it reaches the node.
    public var via: RootVia
    /// Where writes go.
    public var writes: RootWrites

    /// A choice from its two halves; `problem` tells whether they go together.
    public init(via: RootVia, writes: RootWrites) {
        self.via = via
        self.writes = writes
    }

    /// What every node gets that nobody decided for: NBD, writes in memory.
    public static let `default` = RootChoice(via: .nbd, writes: .ram)

    /// Why this combination cannot work, in one line; nil when it can.
    public var problem: String? {
        switch (via, writes) {
        case (.nfsImage, .cow), (.nfsImage, .shared), (.ram, .cow), (.ram, .shared):
            "root {via: \(via.rawValue), writes: \(writes.rawValue)} cannot work: the image file itself stays read-only;"
                + " use writes ram or keep, or via nbd or nfs"
        default: nil
        }
    }

    /// Why a root of `format` cannot serve this choice, in one line; nil when it can.
    public func problem(with format: RootFormat) -> String? {
        guard via == .nbd else { return nil }
        switch writes {
        case .cow, .shared:
            return format.isWritable
                ? nil : "writes: \(writes.rawValue) needs an ext4 or btrfs image, this one is \(format.rawValue)"
        case .none, .ram, .keep: return nil
        }
    }
}
