import Foundation

/// Finds loaders: the user's own first, then the distribution's.
public struct LoaderFiles: Sendable {
    /// The directories, the strongest first.
    public let directories: [String]

    /// Every loader that a plan may name.
    static let known = ["undionly.kpxe", "ipxe.pxe", "snponly.efi", "ipxe.efi", "snponly-arm64.efi", "ipxe-arm64.efi"]

    /// Where the distributions' packages put iPXE: Debian and Ubuntu, Fedora, Arch, openSUSE.
    public static let distributionDirectories = [
        "/usr/lib/ipxe", "/usr/share/ipxe", "/usr/share/ipxe/x86_64", "/usr/share/ipxe/arm64-efi",
        "/usr/share/ipxe/x86_64-efi",
    ]

    /// Other names of the same loaders in distributions' packages.
    private static let otherNames = [
        "snponly-arm64.efi": ["arm64-efi/snponly.efi"],
        "ipxe-arm64.efi": ["arm64-efi/ipxe.efi"],
        "snponly.efi": ["ipxe-snponly-x86_64.efi"],
        "ipxe.efi": ["ipxe-x86_64.efi"],
    ]

    /// Looks in `own` first.
    public init(own: String, distribution: [String] = distributionDirectories) {
        directories = [own] + distribution
    }

    /// The names of the loaders that are there now.
    public var available: Set<String> { Set(Self.known.filter { path(of: $0) != nil }) }

    /// Where a loader is; nil when it is not there or when no plan would name it.
    public func path(of name: String) -> String? {
        guard Self.known.contains(name) else { return nil }
        for directory in directories {
            for candidate in [name] + (Self.otherNames[name] ?? []) {
                let path = "\(directory)/\(candidate)"
                if FileManager.default.isReadableFile(atPath: path) { return path }
            }
        }
        return nil
    }
}
