internal import BootModel
internal import CLinux
import FileSystems
internal import ImageStore

/// One run of the Debian recipe: its steps, in the order ``ImageBuilder`` takes them.
struct DebianBuild {
    let recipe: DebianRecipe
    let draft: ImageDraft
    let cache: String
    let interruption: Interruption
    let progress: (BuildProgress) -> Void
    let tools: ToolRunner
    /// The time that all files of the image get, in seconds since 1970: SOURCE_DATE_EPOCH, else now.
    let time: Int64
    private var phase = BuildPhase.prepare
    private var versions: [String: String] = [:]
    private var packageCount = 0
    private var hasFirmware = false

    /// The tree that becomes the root.
    var tree: String { draft.work + "/tree" }

    init(
        recipe: DebianRecipe,
        draft: ImageDraft,
        cache: String,
        interruption: Interruption,
        progress: @escaping (BuildProgress) -> Void
    ) throws {
        self.recipe = recipe
        self.draft = draft
        self.cache = cache
        self.interruption = interruption
        self.progress = progress
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        let wish = unsafe getenv("SOURCE_DATE_EPOCH").flatMap { unsafe Int64(String(cString: $0)) }
        time = wish ?? Int64(now.tv_sec)
        var tools = ToolRunner(interruption: interruption, environment: Self.environment)
        tools.fullFileSystem = { FileSystemRoom(at: draft.work).flatMap { $0.isFull ? $0 : nil } }
        self.tools = tools
        // All of them before the first minute is spent.
        for tool in [Tool.mmdebstrap, recipe.rootFormat == .ext4 ? .mkfsExt4 : .mksquashfs, .aptConfig, .dpkgQuery] {
            _ = try tool.path()
        }
        try ForeignArchitecture.check(recipe.architecture)
        if let room = FileSystemRoom(at: draft.work), room.free < Self.leastRoom {
            throw BuildError.noSpace(
                phase: BuildPhase.prepare.rawValue,
                room: room,
                needed: Self.usualRoom,
                lastLines: []
            )
        }
        if recipe.rootPassword == nil, recipe.sshKeys.isEmpty {
            progress(.warning("nobody can log in: give --root-password or --ssh-key, or make a user in --script"))
        }
    }

    /// What a build takes as a rule, in bytes: tree, fetched packages and root file.
    private static let usualRoom: Int64 = 1 << 30
    /// With less than this no system fits, in bytes: the smallest tree alone takes more.
    private static let leastRoom: Int64 = 256 << 20

    /// The tools' environment: nothing of the caller's that could change the outcome, but proxies to reach the archive.
    private static var environment: [String] {
        var environment = [
            "PATH=" + Tool.directories.joined(separator: ":"), "LC_ALL=C.UTF-8", "HOME=/root", "TERM=dumb",
            // No initramfs of Debian's own: ours is the one that boots, and making theirs takes longest of all.
            "INITRD=No",
            // The tree is thrown away when the build is interrupted, so dpkg need not wait for the disk at each file.
            "DPKG_FORCE=unsafe-io",
        ]
        for name in ["http_proxy", "https_proxy", "no_proxy"] {
            if let value = unsafe getenv(name) { environment.append("\(name)=" + (unsafe String(cString: value))) }
        }
        return environment
    }

    /// Makes the tree with mmdebstrap.
    mutating func installPackages() throws {
        begin(.packages)
        let transport = HostApt.transport(dump: try output(.aptConfig, ["dump"]))
        let host = (sources: HostApt.sources(), codename: HostApt.codename())
        let sources = AptSourceChoice.sources(suite: recipe.suite, mirror: recipe.mirror, host: host)
        if sources.contains(where: { $0.option("Signed-By") == AptSourceChoice.keyring }),
            unsafe access(AptSourceChoice.keyring, R_OK) != 0
        {
            throw BuildError.missingTool(name: AptSourceChoice.keyring, package: "debian-archive-keyring")
        }
        let places = DebianCommands.Places(
            tree: tree,
            sources: draft.work + "/debian.sources",
            setupHook: draft.work + "/setup",
            customizeHook: draft.work + "/customize"
        )
        try HostFile.write(sources.map(\.deb822).joined(separator: "\n"), to: places.sources)
        try HostFile.write(BuildHooks.setup(cache: cache), to: places.setupHook, mode: 0o755)
        try HostFile.write(
            BuildHooks.customize(cache: cache, locale: recipe.locale, script: recipe.script),
            to: places.customizeHook,
            mode: 0o755
        )
        versions["mmdebstrap"] = try version(.mmdebstrap)
        try run(.mmdebstrap, DebianCommands.mmdebstrap(recipe, places, transport: transport))
        PackageCache.trim(cache)
    }

    /// Makes the tree fit for nodes.
    mutating func adaptTree() throws {
        begin(.tree)
        if let password = recipe.rootPassword {
            try run(.chroot, [tree, "chpasswd", "-c", "SHA512"], input: Array("root:\(password)\n".utf8))
        }
        let hasBus = ["/usr/bin/dbus-daemon", "/usr/bin/dbus-broker"].contains { unsafe access(tree + $0, X_OK) == 0 }
        try TreeEditing.apply(DebianTree.edits(recipe, time: time, hasBus: hasBus), in: tree)
        let format = "${Package} ${Version}\\n"
        let list = try output(.dpkgQuery, ["--admindir=\(tree)/var/lib/dpkg", "-W", "-f=\(format)"])
        packageCount = list.split(separator: "\n").count
        try HostFile.write(list, to: draft.files + "/packages.txt")
    }

    /// Puts the kernel beside the root and returns its release.
    mutating func takeKernel() throws -> String {
        let releases = HostFile.names(in: tree + "/lib/modules")
        guard let release = releases.last, releases.count == 1 else {
            throw BuildError.badTree(
                releases.isEmpty
                    ? "the tree has no kernel modules in /lib/modules: is \(recipe.kernelPackage) installed?"
                    : "the tree has several kernels (\(releases.joined(separator: ", "))): install one only"
            )
        }
        guard unsafe rename("\(tree)/boot/vmlinuz-\(release)", draft.files + "/kernel") == 0 else {
            throw BuildError.badTree("the tree has no /boot/vmlinuz-\(release)")
        }
        return release
    }

    /// Puts the firmware files of a Raspberry Pi beside the root, when the tree has them.
    mutating func takeFirmware(release: String) throws {
        guard let archive = try RaspberryPiFirmware.archive(tree: tree, release: release) else { return }
        try RaspberryPiFirmware.write(archive, to: draft.files + "/firmware.cpio")
        hasFirmware = true
    }

    /// Makes the root file.
    mutating func packRoot() throws {
        begin(.root)
        let output = draft.files + "/" + recipe.rootFormat.fileName
        if recipe.rootFormat == .ext4 {
            let content = TreeSize.bytes(of: tree)
            let size = recipe.rootSize ?? DebianCommands.ext4Size(content: content)
            guard size > content else {
                throw BuildError.usage(
                    "--size \(FileSystemRoom.text(size)) is too small: the system takes \(FileSystemRoom.text(content))"
                )
            }
            let descriptor = unsafe clinux_open(output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw BuildError.system(action: "write", path: output, code: clinux_errno()) }
            defer { close(descriptor) }
            guard ftruncate(descriptor, off_t(size)) == 0 else {
                throw BuildError.system(action: "write", path: output, code: clinux_errno())
            }
            try run(.mkfsExt4, DebianCommands.mkfsExt4(tree: tree, output: output))
        } else {
            versions["mksquashfs"] = try version(.mksquashfs, "-version")
            let processors = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
            let arguments = DebianCommands.mksquashfs(
                tree: tree,
                output: output,
                time: time,
                processors: max(1, processors)
            )
            try run(.mksquashfs, arguments)
        }
    }

    /// What the manifest says of the version.
    func description(release: String, command: [String]) -> ImageDraft.Description {
        var roles: [ImageFileRole: String] = [
            .kernel: "kernel", .initramfs: "initramfs", .root: recipe.rootFormat.fileName,
        ]
        if hasFirmware { roles[.firmware] = "firmware.cpio" }
        return ImageDraft.Description(
            architecture: recipe.architecture,
            kernelRelease: release,
            rootFormat: recipe.rootFormat,
            kernelArguments: recipe.kernelArguments,
            roles: roles,
            extraFiles: ["packages.txt"],
            provenance: ImageProvenance(
                recipe: "debian",
                suite: recipe.suite,
                mirror: recipe.mirror,
                packageCount: packageCount,
                tools: versions,
                command: command
            )
        )
    }

    /// The error with its cause, when that is a full file system: tools say it in words of their own.
    func explained(_ error: BuildError) -> BuildError {
        switch error {
        case .noSpace(_, let room, nil, let lines):
            return .noSpace(phase: phase.rawValue, room: room, needed: Self.usualRoom, lastLines: lines)
        case .toolFailed(_, let phase, _, let lines):
            guard let room = FileSystemRoom(at: draft.work),
                lines.contains(where: { $0.contains("No space left on device") || $0.contains("not enough free space") }
                )
                    || room.free < 4 << 20
            else { return error }
            return .noSpace(phase: phase, room: room, needed: Self.usualRoom, lastLines: lines)
        case .system(_, _, let code) where code == ENOSPC || code == EDQUOT:
            guard let room = FileSystemRoom(at: draft.work) else { return error }
            return .noSpace(phase: phase.rawValue, room: room, needed: Self.usualRoom, lastLines: [])
        default: return error
        }
    }

    private mutating func begin(_ phase: BuildPhase) {
        self.phase = phase
        progress(.phase(phase))
    }

    private func run(_ tool: Tool, _ arguments: [String], input: [UInt8] = []) throws {
        let outcome = try tools.run(try tool.path(), arguments, input: input) { progress(.line($0)) }
        guard outcome.status == .exit(0) else { throw failure(tool, outcome) }
    }

    private func output(_ tool: Tool, _ arguments: [String]) throws -> String {
        let outcome = try tools.run(try tool.path(), arguments, capture: true)
        guard outcome.status == .exit(0) else { throw failure(tool, outcome) }
        return String(decoding: outcome.output, as: UTF8.self)
    }

    private func version(_ tool: Tool, _ option: String = "--version") throws -> String {
        let outcome = try tools.run(try tool.path(), [option], capture: true)
        let line = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").first ?? ""
        return line.split(separator: " ").first { $0.first?.isNumber == true }.map(String.init) ?? String(line)
    }

    private func failure(_ tool: Tool, _ outcome: ToolRunner.Outcome) -> BuildError {
        .toolFailed(name: tool.name, phase: phase.rawValue, status: outcome.status, lastLines: outcome.tail)
    }
}
