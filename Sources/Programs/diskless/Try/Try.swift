import ArgumentParser
import BootModel
import CLinux
import ImageStore
import NetworkTypes
import VirtualLab

/// `diskless try`: boot a virtual machine without a disk from an image, in a private network on this computer.
struct Try: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "try",
        abstract: "Boot a virtual diskless machine from an image, in a private network on this computer.",
        discussion: """
            On a terminal the machine's console is yours (Ctrl-A X leaves, Ctrl-A Ctrl-A types Ctrl-A). Without a terminal, \
            or with --until up, the timeline is printed and the exit code says whether the machine came up. The server \
            is one of its own with a registry of its own; it shares the image's files with the state directory, so a \
            running server is not disturbed. Needs root.
            """
    )

    /// How far to go.
    enum Goal: String, ExpressibleByArgument, CaseIterable {
        /// Until the machine is up.
        case up
    }

    /// The machine's network card.
    enum Card: String, ExpressibleByArgument, CaseIterable {
        /// virtio-net.
        case virtio
        /// Intel 82540EM.
        case e1000
    }

    private static let firmwareNames = MachineFirmware.allCases.map(\.rawValue).joined(separator: ", ")
    private static let loaderNames = LoaderPreference.allCases.map(\.rawValue).joined(separator: ", ")

    @Argument(help: "The image: NAME or NAME@VERSION; the newest of all when left out.")
    var image: String?
    @Option(help: "What the machine starts with: \(Self.firmwareNames).", transform: Self.firmware)
    var firmware: MachineFirmware = .bios
    @Option(help: "The loader it is given: \(Self.loaderNames); as fits the firmware when left out.")
    var loader: String?
    @Option(help: "The machine's network card: virtio or e1000, which a cloud kernel does not drive.")
    var card: Card = .virtio
    @Option(help: "The machine's name.")
    var node: String = "virtual"
    @Option(help: "Where the machine's writes go: none, ram or cow; as the image's format allows when left out.")
    var writes: String?
    @Option(help: "Leave, with exit code 0, when the machine is up.")
    var until: Goal?
    @Option(help: ArgumentHelp("How long the machine may take until it is up.", valueName: "seconds"))
    var timeLimit: Int = 300
    @Option(help: ArgumentHelp("The machine's memory in MiB.", valueName: "MiB"))
    var memory: Int = 1024
    @Option(help: ArgumentHelp("Keep the console's and the server's logs in this directory.", valueName: "dir"))
    var logs: String?
    @OptionGroup var state: StateOption

    func validate() throws {
        guard NodeName(node) != nil else {
            throw ValidationError("“\(node)” is no node name: letters, digits and dashes")
        }
        guard (1...86400).contains(timeLimit) else { throw ValidationError("--time-limit is 1 to 86400 seconds") }
        guard (256...65536).contains(memory) else { throw ValidationError("--memory is 256 to 65536 MiB") }
        if let loader, LoaderPreference(rawValue: loader) == nil {
            throw ValidationError("--loader is one of \(Self.loaderNames), not “\(loader)”")
        }
        if let writes, RootWrites(rawValue: writes) == nil {
            throw ValidationError("--writes is none, ram or cow, not “\(writes)”")
        }
    }

    func run() throws {
        if let obstacle = labObstacle() { throw LabError(obstacle) }
        let version = try chosenVersion()
        let interactive = until == nil && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
        let lab = try Lab("try", directory: logs)
        defer { lab.close() }

        let kernel = try? ImageStore(state: state.path).path(of: .kernel, in: version)
        let machine = try lab.machine(
            Machine(
                name: node,
                mac: MACAddress(value: 0x5254_00d1_5c01),
                uuid: MachineUUID("d15c1e55-0000-4000-8000-525400d15c01"),
                firmware: firmware,
                memory: memory,
                card: card == .e1000 ? .e1000 : .virtio,
                accelerator: firmware.isARM ? .emulation : Accelerator.working(kernel: kernel, memory: state.path),
                restarts: interactive
            )
        )
        let trial = Trial(lab: lab, machine: machine, interactive: interactive)
        let server = try TrialServer(lab: lab, state: state.path, version: version)
        // Secure Boot starts nothing but what is signed for it.
        let loader = loader ?? (firmware.isSecure ? LoaderPreference.shim.rawValue : nil)
        try server.apply(
            node: node,
            mac: machine.machine.mac,
            writes: writes,
            loader: loader,
            console: firmware.consoleArgument
        )
        try trial.follow(server)
        trial.say("booting \(version) on a virtual machine: \(firmware.rawValue), \(machine.machine.accelerator.words)")
        try machine.powerOn()

        let ending = interactive ? try trial.attachTerminal() : trial.waitUntilUp(limit: .seconds(timeLimit))
        guard case .failure(let reason) = ending else { return }
        throw LabError(reason)
    }

    @Sendable
    private static func firmware(_ text: String) throws -> MachineFirmware {
        guard let firmware = MachineFirmware(rawValue: text) else {
            throw ValidationError("there is no firmware “\(text)”; there are \(firmwareNames)")
        }
        return firmware
    }

    /// The version to boot.
    private func chosenVersion() throws -> ImageVersionID {
        let store = ImageStore(state: state.path)
        if let image {
            guard let reference = ImageReference(image) else {
                throw LabError("“\(image)” is no image: write NAME or NAME@VERSION")
            }
            return try store.manifest(for: reference).version.id
        }
        guard let newest = try store.newest() else {
            throw LabError("there is no image in \(state.path) yet; make one with: diskless image build debian")
        }
        return newest.id
    }
}

extension Accelerator {
    fileprivate var words: String { self == .kvm ? "KVM" : "emulated (no working KVM here: this takes a while)" }
}
