internal import CLinux

/// A program of the distribution that a build calls.
struct Tool: Hashable {
    /// The program's name.
    let name: String
    /// The Debian package that has it.
    let package: String

    static let mmdebstrap = Tool(name: "mmdebstrap", package: "mmdebstrap")
    static let mksquashfs = Tool(name: "mksquashfs", package: "squashfs-tools")
    static let mkfsExt4 = Tool(name: "mkfs.ext4", package: "e2fsprogs")
    static let aptConfig = Tool(name: "apt-config", package: "apt")
    static let dpkgQuery = Tool(name: "dpkg-query", package: "dpkg")
    static let chroot = Tool(name: "chroot", package: "coreutils")

    /// Where programs are looked for: those for administrators are not on everybody's PATH.
    static let directories = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    /// The program's path, or the line that says which package has it.
    func path(in directories: [String] = Tool.directories) throws(BuildError) -> String {
        for directory in directories {
            let path = directory + "/" + name
            if unsafe access(path, X_OK) == 0 { return path }
        }
        throw .missingTool(name: name, package: package)
    }
}
