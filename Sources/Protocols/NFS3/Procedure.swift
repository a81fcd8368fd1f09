/// The procedures of NFS version 3 (RFC 1813, section 3).
public enum NFS3Procedure: UInt32, Sendable, CaseIterable {
    case null, getAttributes, setAttributes, lookup, access, readLink, read, write, create, makeDirectory, symbolicLink
    case makeNode, remove, removeDirectory, rename, link, readDirectory, readDirectoryPlus, fileSystemStatus
    case fileSystemInfo, pathConfiguration, commit

    /// How many absent optionals follow the status of a failure about which nothing more is told.
    @inlinable public var failureWords: Int {
        switch self {
        case .null, .getAttributes: 0
        case .setAttributes, .write, .create, .makeDirectory, .symbolicLink, .makeNode, .remove, .removeDirectory,
            .commit:
            2
        case .link: 3
        case .rename: 4
        default: 1
        }
    }

    /// Whether it changes something.
    @inlinable public var isChange: Bool {
        switch self {
        case .setAttributes, .write, .create, .makeDirectory, .symbolicLink, .makeNode, .remove, .removeDirectory,
            .rename,
            .link, .commit:
            true
        default: false
        }
    }
}

/// Numbers of the NFS version 3 program.
public enum NFS3 {
    /// The program (RFC 1813, section 3).
    public static let program: UInt32 = 100_003
    /// Its version.
    public static let version: UInt32 = 3
    /// Longest name of a file that is read from the wire, in bytes.
    public static let nameLimit = 1024
    /// Longest path in a symbolic link, in bytes.
    public static let pathLimit = 4096
}
