import BootModel
import CLinux
import Foundation
public import NetworkTypes
import Synchronization

/// Finds loaders: the user's own first, then the distribution's, then what can be made here.
public final class LoaderFiles: Sendable {
    let own: String
    private let distribution: [String]
    private let grub: GRUBImages?
    private let seen = Mutex<Seen>(Seen())

    private struct Seen {
        var names: Set<String> = []
        var problems: [String: String] = [:]
        /// Seconds of the monotonic clock.
        var until = 0
    }

    /// Where the distributions' packages put iPXE: Debian and Ubuntu, Fedora, Arch, openSUSE.
    public static let distributionDirectories = [
        "/usr/lib/ipxe", "/usr/share/ipxe", "/usr/share/ipxe/x86_64", "/usr/share/ipxe/arm64-efi",
        "/usr/share/ipxe/x86_64-efi", "/usr/lib/PXELINUX", "/usr/lib/syslinux/modules/bios", "/usr/share/syslinux",
        "/usr/lib/syslinux/bios",
    ]

    /// Every file that a loader may be or need, with other names of the same in distributions' packages: below one of
    /// the directories, or from the root.
    static let known: [String: [String]] = {
        var known: [String: [String]] = [
            "undionly.kpxe": [], "ipxe.pxe": [],
            "snponly.efi": ["ipxe-snponly-x86_64.efi"], "ipxe.efi": ["ipxe-x86_64.efi"],
            "snponly-arm64.efi": ["arm64-efi/snponly.efi"], "ipxe-arm64.efi": ["arm64-efi/ipxe.efi"],
            LoaderName.pxelinux: [],
            BootPath.memoryTest.bios: ["/boot/memtest86+x64.bin", "/boot/memtest86+/memtest.bin"],
            BootPath.memoryTest.efi: ["/boot/memtest86+x64.efi", "/boot/memtest86+/memtest.efi"],
            LoaderName.shimX64: ["/usr/lib/shim/shimx64.efi.signed"],
            LoaderName.shimGRUBX64: ["/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed"],
            LoaderName.shimDiskGRUBX64: ["/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"],
            LoaderName.shimARM64: ["/usr/lib/shim/shimaa64.efi.signed"],
            LoaderName.shimGRUBARM64: ["/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed"],
            LoaderName.shimDiskGRUBARM64: ["/usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed"],
            LoaderName.grubBIOS: [], LoaderName.grubX64: [], LoaderName.grubX64HTTP: [], LoaderName.grubARM64: [],
            LoaderName.grubARM64HTTP: [],
        ]
        for name in LoaderName.pxelinuxModules { known[name] = [] }
        return known
    }()

    /// Looks in `own` first; what is made goes to `cache`, without which nothing is made.
    public init(own: String, distribution: [String] = distributionDirectories, cache: String? = nil) {
        self.own = own
        self.distribution = distribution
        grub = cache.map { GRUBImages(cache: $0, own: own) }
    }

    /// The names of the loaders that are there now or can be made; looked for again after five seconds at most.
    public var available: Set<String> { look().names }

    /// The user's own files that cannot be the loaders that they are named as: why, in one line, by name.
    public var problems: [String: String] { look().problems }

    private func look() -> Seen {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
        return seen.withLock { seen in
            if seen.until <= now.tv_sec {
                var found = Seen(until: now.tv_sec + 5)
                for name in Self.known.keys {
                    if let problem = ownProblem(name) {
                        found.problems[name] = problem
                    } else if file(name) != nil {
                        found.names.insert(name)
                    }
                }
                found.names.formUnion((grub?.names ?? []).filter { found.problems[$0] == nil })
                seen = found
            }
            return seen
        }
    }

    /// Where a loader is, for a machine that reaches this server at `server`; nil when it is not there or when no plan
    /// would name it.
    ///
    /// Throws an error of one line when it could not be made, or when the user's own file cannot be this loader.
    public func path(of name: String, server: IPv4Address?) throws -> String? {
        if Self.known[name] != nil, let problem = ownProblem(name) { throw LoaderFileError(description: problem) }
        if let path = file(name) { return path }
        guard let server, let grub, Self.known[name] != nil else { return nil }
        return try grub.path(of: name, server: server)
    }

    private func file(_ name: String) -> String? {
        guard let otherNames = Self.known[name] else { return nil }
        func isThere(_ path: String) -> Bool { unsafe access(path, R_OK) == 0 }
        if isThere("\(own)/\(name)") { return "\(own)/\(name)" }
        for candidate in [name] + otherNames {
            if candidate.hasPrefix("/") {
                // A test without a distribution has none of its files either.
                if !distribution.isEmpty, isThere(candidate) { return candidate }
                continue
            }
            for directory in distribution where isThere("\(directory)/\(candidate)") {
                return "\(directory)/\(candidate)"
            }
        }
        return nil
    }
}
