public import BootModel

/// A Debian image: what is in it and in which form it comes out.
///
/// `diskless image build` is its command line.
public struct DebianRecipe: Hashable, Sendable {
    /// Which of Debian's kernels.
    public enum Kernel: String, Hashable, Sendable, CaseIterable {
        /// With drivers for real machines.
        case generic
        /// For virtual machines: smaller, starts sooner, knows virtio but no real network card.
        case cloud
    }

    /// Debian's release.
    public var suite = "bookworm"
    /// Where to get it; nil for the sources of this machine, or Debian's own servers.
    public var mirror: String?
    /// The processor, by Debian's name.
    public var architecture = "amd64"
    /// mmdebstrap's variant: how many packages come along unasked.
    public var variant = "minbase"
    /// Packages beside those that every image has.
    public var packages: [String] = []
    /// A script of the builder's machine that is run inside the tree, as root, once all packages are there.
    public var script: String?
    /// root's password; nil to lock it.
    public var rootPassword: String?
    /// Lines for root's authorized_keys.
    public var sshKeys: [String] = []
    /// Which kernel.
    public var kernel = Kernel.generic
    /// The root file's format: squashfs or ext4.
    public var rootFormat = RootFormat.squashfs
    /// The size of an ext4 root in bytes; nil for its content and some headroom.
    public var rootSize: Int64?
    /// The language, such as `de_DE.UTF-8`; nil for C.UTF-8.
    public var locale: String?
    /// Arguments that every boot of the image gets.
    public var kernelArguments: [String] = []

    /// The recipe of a small system on bookworm.
    public init() {}

    /// The packages that a node needs to come up and to be reached.
    static let basePackages = [
        "systemd", "systemd-sysv", "udev", "openssh-server", "login", "passwd", "busybox-static", "kmod", "iproute2",
        "ca-certificates",
    ]

    /// Packages with an init of their own; with one of them, systemd is left out unless it is asked for by name.
    static let otherInits: Set = ["sysvinit-core", "runit-init", "openrc"]

    /// Variants of mmdebstrap that give a system which can start; the rest give less than a system.
    static let variants = [
        "essential", "apt", "required", "minbase", "buildd", "important", "debootstrap", "-", "standard",
    ]

    /// Everything that is installed by name, in a stable order.
    var includedPackages: [String] {
        let language = locale == nil || locale == "C.UTF-8" ? [] : ["locales"]
        var seen: Set<String> = []
        let hasOtherInit = !Self.otherInits.isDisjoint(with: packages)
        let base = Self.basePackages.filter { !hasOtherInit || !$0.hasPrefix("systemd") }
        return (base + [kernelPackage] + language + packages).filter { seen.insert($0).inserted }
    }

    /// The package that brings the kernel.
    var kernelPackage: String {
        switch (architecture, kernel) {
        case ("armhf", _): "linux-image-armmp"
        case (let architecture, .generic): "linux-image-\(architecture)"
        case (let architecture, .cloud): "linux-image-cloud-\(architecture)"
        }
    }

    /// Refuses what cannot work, before anything is done.
    func validate() throws(BuildError) {
        func isWord(_ text: String, extra: String) -> Bool {
            text.first?.isLetter ?? false || text.first?.isNumber ?? false
                ? text.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte)
                        || extra.utf8.contains(byte)
                } : false
        }
        guard ["amd64", "arm64", "armhf"].contains(architecture) else {
            throw .usage("--arch \(architecture): use amd64, arm64 or armhf")
        }
        guard architecture != "armhf" || kernel == .generic else {
            throw .usage("--kernel cloud: Debian has no cloud kernel for armhf; use --kernel generic")
        }
        guard isWord(suite, extra: "-.") else { throw .usage("--suite \"\(suite)\" is not the name of a release") }
        guard Self.variants.contains(variant) else {
            throw .usage("--variant \(variant): use one of \(Self.variants.joined(separator: ", "))")
        }
        for package in packages where !isWord(package, extra: "+-.:=~") {
            throw .usage("--package \"\(package)\" is not the name of a package")
        }
        guard rootFormat == .squashfs || rootFormat == .ext4 else {
            throw .usage("--format \(rootFormat.rawValue): use squashfs or ext4")
        }
        guard rootSize == nil || rootFormat == .ext4 else {
            throw .usage("--size is for --format ext4: a squashfs is as large as its content")
        }
        if let locale, !isWord(locale, extra: "_.@-") { throw .usage("--locale \"\(locale)\" is not a locale") }
        if let rootPassword, rootPassword.isEmpty || rootPassword.contains(where: \.isNewline) {
            throw .usage("--root-password: use one line that is not empty")
        }
        for key in sshKeys where key.contains(where: \.isNewline) || key.split(separator: " ").count < 2 {
            throw .usage("--ssh-key: \"\(key.prefix(40))\" is not a line of authorized_keys")
        }
        for argument in kernelArguments where argument.contains(where: \.isWhitespace) || argument.isEmpty {
            throw .usage("--kernel-argument \"\(argument)\": use one argument without spaces each time")
        }
        for argument in kernelArguments {
            if let problem = KernelArgument.problem(with: argument) {
                throw .usage("--kernel-argument \"\(argument)\" \(problem)")
            }
        }
        if let mirror, !mirror.contains("://") || mirror.contains(where: \.isWhitespace) {
            throw .usage("--mirror \"\(mirror)\" is not a URL such as \(AptSourceChoice.debian)")
        }
    }
}
