import NetworkTypes

/// Decides what a machine boots: the one place where policy lives.
///
/// A pure function: the same inputs always give the same plan, so `diskless explain` shows exactly what the wire gets.
public struct BootPlanner: Sendable {
    /// Everything a decision depends on.
    public struct Inputs: Sendable {
        /// Who boots.
        public var node: Node
        /// What holds for it.
        public var settings: EffectiveSettings
        /// The image version that its settings resolve to; nil when there is none.
        public var image: ImageVersion?
        /// What the machine told.
        public var request: NodeRequest
        /// What its kernel is told about its address.
        public var addressing: NodeAddressing
        /// How it reaches us.
        public var server: ServerAddresses
        /// The boot under way; nil before a script was asked for, and in explanations.
        public var boot: BootIdentifier?
        /// The loaders that are installed or can be made, by file name.
        public var loaders: Set<String>
        /// Files of the user's that cannot be the loaders that they are named as: why, in one line, by name.
        public var loaderProblems: [String: String]
        /// Whether the boot under way was sent a loader already.
        public var hasLoader: Bool
        /// Whether the boot has an overlay archive.
        public var hasOverlay: Bool
        /// The image versions that the entries of its boot menu resolve to.
        public var menuImages: [ImageReference: ImageVersion]

        /// Inputs from their parts.
        public init(
            node: Node,
            settings: EffectiveSettings,
            image: ImageVersion?,
            request: NodeRequest,
            addressing: NodeAddressing,
            server: ServerAddresses,
            boot: BootIdentifier? = nil,
            loaders: Set<String>,
            loaderProblems: [String: String] = [:],
            hasLoader: Bool = false,
            hasOverlay: Bool = false,
            menuImages: [ImageReference: ImageVersion] = [:]
        ) {
            self.node = node
            self.settings = settings
            self.image = image
            self.request = request
            self.addressing = addressing
            self.server = server
            self.boot = boot
            self.loaders = loaders
            self.loaderProblems = loaderProblems
            self.hasLoader = hasLoader
            self.hasOverlay = hasOverlay
            self.menuImages = menuImages
        }
    }

    /// What `inputs` lead to.
    ///
    /// Throws a `BootRefusal` that says what is missing when nothing can boot.
    public static func plan(_ inputs: Inputs) throws(BootRefusal) -> BootPlan {
        var reasons: [String] = []
        if inputs.settings.profiles.contains(where: { $0.name != .default }) {
            reasons.append("profiles: \(inputs.settings.profiles.map(\.words).joined(separator: ", "))")
        }
        guard let image = inputs.image else {
            throw BootRefusal(
                inputs.settings.image.map {
                    "image \($0.value) (\($0.source)) does not exist: see 'diskless image list'"
                }
                    ?? "there is no image yet: make one with 'diskless image build NAME'"
            )
        }
        reasons.append(
            inputs.settings.image.map { "image \(image.id): \($0.value) asked by \($0.source)" }
                ?? "image \(image.id): nobody chose one, so the newest of all"
        )
        if inputs.request.raspberryPi != nil || inputs.request.stage == .loader(.raspberryPi) {
            // Its firmware says nothing of its processor, or that it is an x86 BIOS.
            guard image.files[.firmware] != nil else {
                throw BootRefusal(
                    "\(image.id) has no firmware files for a Raspberry Pi (/boot/firmware): build one with"
                        + " --arch arm64 --package raspi-firmware"
                )
            }
        } else if let machine = inputs.request.architecture?.machine, machine.debianName != image.architecture {
            throw BootRefusal(
                "\(image.id) is for \(image.architecture), but this machine is \(machine.debianName):"
                    + " choose an image built with --arch \(machine.debianName)"
            )
        }
        let choice = inputs.settings.root
        if let problem = choice.problem ?? choice.problem(with: image.rootFormat) {
            throw BootRefusal("node \(inputs.node.name) with \(image.id): \(problem)")
        }
        reasons.append(
            "root via \(choice.via.rawValue) (\(inputs.settings.via.source)), writes \(choice.writes.rawValue)"
                + " (\(inputs.settings.writes.source))"
        )
        let root = try rootPlan(choice, image: image, inputs)
        reasons += storageReasons(inputs, root)
        let loader = try LoaderChoice.choose(
            LoaderChoice.Question(
                request: inputs.request,
                setting: inputs.settings.loader,
                addressing: inputs.addressing,
                server: inputs.server,
                loaders: inputs.loaders,
                problems: inputs.loaderProblems,
                hasLoader: inputs.hasLoader
            )
        )
        reasons.append(loader.reason)
        let arguments = KernelCommandLine.arguments(for: inputs, image: image, root: root)
        let length = arguments.reduce(0) { $0 + $1.utf8.count + 1 }
        let limit = KernelCommandLine.limit(for: image)
        guard length <= limit else {
            throw BootRefusal(
                "the kernel command line of \(inputs.node.name) with \(image.id) would have \(length) bytes, more than the"
                    + " \(limit) that reach a kernel: shorten its kernel arguments"
            )
        }
        if inputs.hasOverlay {
            let sets = inputs.settings.files
            reasons.append("overlay files \(sets.value.map(\.text).joined(separator: ", ")) (\(sets.source))")
        }
        reasons.append(
            inputs.addressing == .foreign
                ? "address from the DHCP server that is there, renewed by the node"
                : "address from our lease, on the command line: no second DHCP round"
        )
        let menu = menu(inputs, image: image, arguments: arguments, reasons: &reasons)
        return BootPlan(
            node: inputs.node.name,
            image: image.id,
            bootFile: loader.bootFile,
            program: loader.program,
            menu: menu,
            server: inputs.server,
            kernelArguments: arguments,
            root: root,
            reasons: reasons
        )
    }
}
