import Foundation
import NetworkTypes
import VirtualLab

/// A lab with our server in it, as these tests use it.
struct EndToEndLab {
    let lab: Lab
    let server: DisklessServer

    /// - Parameters:
    ///   - images: which images the server has; the first is what unknown machines get.
    ///   - fleet: what is applied before anything boots.
    ///   - dhcp: `full` or `proxy`.
    ///   - configuration: the server's configuration file.
    ///   - subnet: the network, whose first address is the server's; by default 10.77.0.0/24.
    init(
        _ label: String,
        images: [TestImage],
        fleet: String = "",
        dhcp: String = "full",
        configuration: String = "",
        subnet: IPv4Subnet? = nil
    ) throws {
        let lab = try Lab(label, subnet: subnet, directory: Repository.path("build/e2e/logs-\(label)"))
        do {
            self.lab = lab
            server = try DisklessServer(
                lab: lab,
                label: label,
                images: images,
                dhcp: dhcp,
                configuration: configuration
            )
            if !fleet.isEmpty { try server.apply(fleet) }
        } catch {
            lab.close()
            throw error
        }
    }

    /// A machine whose address ends in `number`: `52:54:00:e2:e0:NUMBER`; or is `mac`.
    func node(
        _ name: String,
        number: UInt64,
        mac: MACAddress? = nil,
        firmware: MachineFirmware = .bios,
        processors: Int = 1,
        card: NetworkCard = .virtio,
        behind router: LabHost? = nil
    ) throws -> Node {
        let machine = Machine(
            name: name,
            mac: mac ?? Self.mac(number),
            uuid: MachineUUID("e2e00000-0000-4000-8000-525400e2e0\(10 + number)"),
            firmware: firmware,
            // With two, QEMU 7.2 emulates them side by side, and a kernel that patches its code on one of them can hang
            // the other for good (soft lockup in exc_int3).
            processors: processors,
            card: card,
            accelerator: firmware.isARM
                ? .emulation
                : try Accelerator.working(
                    kernel: TestImage.ram.file("kernel"),
                    memory: Repository.path("build/e2e")
                )
        )
        return Node(name: name, machine: try lab.machine(machine, behind: router))
    }

    static func mac(_ number: UInt64) -> MACAddress { MACAddress(value: 0x5254_00e2_e000 | number) }
}

/// Where this repository is, and what was built in it.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    static func path(_ relative: String) -> String { "\(root)/\(relative)" }

    /// The program under test: DISKLESS_PROGRAM, else what was built last.
    static var program: String? {
        let given = ProcessInfo.processInfo.environment["DISKLESS_PROGRAM"]
        let candidates = [given, path(".build/release/diskless"), path(".build/debug/diskless")].compactMap(\.self)
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// The cases of the slow part of the tests: `make e2e` runs them, `make test` runs none.
    ///
    /// DISKLESS_FIRMWARE is `all`, or the names of cases with commas between.
    static func whole(_ cases: [String]) -> [String] {
        let wanted = (ProcessInfo.processInfo.environment["DISKLESS_FIRMWARE"] ?? "").split(separator: ",")
        return wanted == ["all"] ? cases : cases.filter { wanted.contains($0[...]) }
    }

    /// Whether these tests run; in continuous integration they always do, so that a missing tool is a failure.
    static var canRun: Bool {
        if ProcessInfo.processInfo.environment["CI"] == "true" { return true }
        return program != nil && labObstacle(tools: [.ip, .setpriv, .qemuX86, .tcpdump, .nft, .dnsmasq]) == nil
    }
}

/// An image that the tests boot; built once into `build/e2e`, through the program itself.
struct TestImage: Sendable {
    let name: String
    let format: String
    var kernel = "cloud"
    var architecture = "amd64"
    /// Packages beside those that every test's image has.
    var packages: [String] = []

    /// A squashfs root, for `ram`.
    static let ram = TestImage(name: "e2e", format: "squashfs")
    /// An ext4 root, for `cow`.
    static let writable = TestImage(name: "e2e-ext4", format: "ext4")
    /// With the kernel for real machines, whose cards a cloud kernel does not drive.
    static let generic = TestImage(name: "e2e-generic", format: "squashfs", kernel: "generic")
    /// With a compiler and what else the classic tests of clients need.
    static let build = TestImage(
        name: "e2e-build",
        format: "squashfs",
        packages: ["gcc", "libc6-dev", "make", "git", "sqlite3", "python3", "time", "groff", "nbd-client"]
    )
    /// With dracut, which makes an initramfs of its own kind.
    static let dracut = TestImage(
        name: "e2e-dracut",
        format: "squashfs",
        // mount.nfs finds no transport without /etc/protocols.
        packages: ["dracut-network", "nfs-common", "netbase"]
    )
    /// With what the server itself needs.
    static let server = TestImage(
        name: "e2e-server",
        format: "squashfs",
        packages: ["libsqlite3-0", "libssl3", "libstdc++6"]
    )
    /// For 64-bit ARM; its packages' scripts run emulated, so it takes a while.
    static let arm64 = TestImage(name: "e2e-arm64", format: "squashfs", architecture: "arm64")

    static var state: String { Repository.path("build/e2e") }

    /// The directory of its newest version; builds the image if there is none.
    func directory() throws -> String {
        // One run of tests at a time builds it; others wait, and find it.
        try FileManager.default.createDirectory(atPath: Self.state, withIntermediateDirectories: true)
        let lock = unsafe open("\(Self.state)/\(name).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(lock) }
        guard flock(lock, LOCK_EX) == 0 else { throw LabError("\(Self.state)/\(name).lock cannot be locked: \(errno)") }
        if let found = newest(), isFresh(found) { return found }
        guard let program = Repository.program else { throw LabError("diskless is not built: make build") }
        let build = Process()
        build.executableURL = URL(fileURLWithPath: program)
        build.arguments = [
            "image", "build", name, "--kernel", kernel, "--arch", architecture, "--format", format, "--root-password",
            "diskless", "--package", "openssh-server", "--state", Self.state, "--kernel-argument",
            architecture == "arm64" ? "console=ttyAMA0" : "console=ttyS0,115200",
        ]
        build.arguments? += packages.flatMap { ["--package", $0] }
        // An emulated machine on a busy computer misses timer ticks; the kernel would give up at once.
        if architecture == "amd64" { build.arguments? += ["--kernel-argument", "no_timer_check"] }
        build.standardInput = FileHandle.nullDevice
        try build.run()
        build.waitUntilExit()
        guard build.terminationStatus == 0, let found = newest() else {
            throw LabError("the image \(name) could not be built (exit code \(build.terminationStatus))")
        }
        try FileManager.default.createDirectory(atPath: "\(Self.state)/programs", withIntermediateDirectories: true)
        try programs.write(to: URL(fileURLWithPath: stamp))
        return found
    }

    /// One of its files.
    func file(_ name: String) throws -> String { "\(try directory())/\(name)" }

    /// Whether the image has the programs for nodes as they are now; images of foreign processors take long to build.
    private func isFresh(_ directory: String) -> Bool {
        func date(_ path: String) -> Date {
            (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date ?? .distantPast
        }
        guard architecture == "amd64" else { return true }
        // By content: a checkout makes every file new.
        if let then = FileManager.default.contents(atPath: stamp) { return then == programs }
        let made = date("\(directory)/initramfs")
        return ["init", "mount-root", "prepare-root", "take-lease"].allSatisfy {
            date(Repository.path("node/\($0)")) <= made
        }
    }

    /// Where the programs for nodes are kept that the newest version was built with.
    private var stamp: String { "\(Self.state)/programs/\(name)" }

    /// The programs for nodes as they are now, one after the other, behind what packages the image has.
    private var programs: Data {
        let folder = Repository.path("node")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let sources = ["c", "h", "md"]
        let scripts = names.sorted().filter { name in
            name != "Makefile" && name != "build" && !sources.contains { name.hasSuffix(".\($0)") }
        }
        return (scripts + ["build/nbd-attach-\(architecture)"]).reduce(into: Data(packages.joined(separator: " ").utf8))
        { all, name in
            all += Data("\(name)\n".utf8) + (FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data())
        }
    }

    private func newest() -> String? {
        let folder = "\(Self.state)/images/\(name)"
        let numbers = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap { Int($0) }
        return numbers.max().map { "\(folder)/\($0)" }
    }
}
