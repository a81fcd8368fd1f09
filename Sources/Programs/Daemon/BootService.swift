public import BootModel
import Logging
public import NetworkTypes
import Synchronization

/// Answers every server's questions about machines, and keeps the picture of their boots.
public final class BootService: BootPlanning, BootRecorder {
    let registry: any NodeRegistry
    let catalog: any ImageCatalog
    let log: any EventLog
    let loaders: LoaderFiles
    /// What boots may use of the storage.
    let grants: GrantStore
    /// Who asked without being known.
    let sightings: Sightings?
    let clock: any Clock
    let logger: Logger
    /// Why the overlay files of a node cannot be made; set once the daemon can make them.
    let overlayProblem = Mutex<Hook<OverlayQuestion, String?>?>(nil)
    private let tracker: SharedTracker
    private let writer: BootWriter
    /// The boots that were sent a loader, for those whose card's own iPXE is to be replaced once.
    private let sentLoaders = Mutex<[MACAddress: BootIdentifier]>([:])
    /// The Raspberry Pis that asked by DHCP since the start; by hardware address alone some are known too.
    private let raspberryPis = Mutex<Set<MACAddress>>([])

    /// A service over the given stores; goes on with the boots that the log knows.
    ///
    /// What boots may use is kept in `grantsDirectory`, or only in memory without one.
    ///
    /// Throws what the log throws.
    init(
        registry: any NodeRegistry,
        catalog: any ImageCatalog,
        log: any EventLog,
        loaders: LoaderFiles,
        grantsDirectory: String? = nil,
        sightings: Sightings? = nil,
        clock: any Clock,
        logger: Logger
    ) throws {
        self.registry = registry
        self.catalog = catalog
        self.log = log
        self.loaders = loaders
        grants = GrantStore(directory: grantsDirectory, logger: logger)
        self.sightings = sightings
        self.clock = clock
        self.logger = logger
        let tracker = SharedTracker(try log.boots(of: nil, limit: 100_000))
        self.tracker = tracker
        writer = BootWriter(log: log, logger: logger) { mac in tracker.withLock { $0.boot(of: mac) } }
    }

    // MARK: Planning

    /// Who is asking; a machine that the registry cannot be asked about is treated as unknown.
    public func identify(_ request: NodeRequest) -> (node: Node, isKnown: Bool) {
        let found = recognize(request)
        if !found.isKnown { sightings?.note(request) }
        return found
    }

    /// The same for somebody who only looks.
    func recognize(_ request: NodeRequest) -> (node: Node, isKnown: Bool) { identify(request, in: fleet) }

    /// Only DHCP requests tell the machine's UUID; a node that is known by it alone is known by its boot afterwards.
    private func identify(_ request: NodeRequest, in fleet: Fleet) -> (node: Node, isKnown: Bool) {
        let found = fleet.identify(request)
        guard !found.isKnown, request.uuid == nil, request.identities.isEmpty, let boot = boot(of: request.mac),
            let node = fleet.nodes[boot.node], node.uuid != nil || !node.identities.isEmpty
        else { return found }
        return (node, true)
    }

    /// What the machine gets, for the boot that it is in.
    public func plan(
        for request: NodeRequest,
        addressing: NodeAddressing,
        server: ServerAddresses
    ) -> Result<BootPlan, BootRefusal> {
        if request.stage != .system { note(request) }
        if request.raspberryPi != nil { noteRaspberryPi(request.mac) }
        let boot = tracker.withLock { $0.boot(of: request.mac) }
        return plan(for: request, addressing: addressing, server: server, boot: boot?.id)
    }

    /// What the machine would get, for somebody who only looks: its boot is neither changed nor told.
    public func preview(
        for request: NodeRequest,
        addressing: NodeAddressing,
        server: ServerAddresses
    ) -> Result<BootPlan, BootRefusal> {
        plan(for: request, addressing: addressing, server: server, boot: nil)
    }

    private func plan(
        for request: NodeRequest,
        addressing: NodeAddressing,
        server: ServerAddresses,
        boot: BootIdentifier?
    ) -> Result<BootPlan, BootRefusal> {
        let fleet = fleet
        let node = identify(request, in: fleet).node
        let settings = fleet.effectiveSettings(for: node, machine: facts(of: request))
        do throws(BootRefusal) {
            return .success(
                try BootPlanner.plan(
                    BootPlanner.Inputs(
                        node: node,
                        settings: settings,
                        image: try image(for: settings, in: fleet),
                        request: request,
                        addressing: addressing,
                        server: server,
                        boot: boot,
                        loaders: loaders.available,
                        loaderProblems: loaders.problems,
                        hasLoader: boot.map { hasLoader($0, request.mac) } ?? request.hasLoader,
                        hasOverlay: overlayProblem.withLock { $0 != nil },
                        menuImages: try menuImages(for: settings, in: fleet)
                    )
                )
            )
        } catch {
            return .failure(error)
        }
    }

    /// The plan whose script goes out now: from here on the boot's identifier is known outside, so the boot is on
    /// stable storage before this returns.
    ///
    /// What the boot may use of the storage is kept before too, for the address that it is at.
    public func planScript(
        for mac: MACAddress,
        stage: BootStage = .ipxe([.http, .bzImage, .efi]),
        addressing: NodeAddressing,
        server: ServerAddresses,
        at address: IPv4Address? = nil
    ) -> Result<BootPlan, BootRefusal> {
        let request = NodeRequest(mac: mac, stage: stage)
        let node = identify(request).node
        let step = advance(.script, node: node.name, mac: mac, at: clock.now())
        var asked = request
        asked.architecture = step.boot.architecture
        var result = plan(for: asked, addressing: addressing, server: server, boot: step.boot.id)
        if case .success = result, let refusal = refusal(overlay: node, step.boot, addressing) {
            result = .failure(refusal)
        }
        let boot = tracker.withLock { tracker in
            tracker.update(mac) {
                if case .success(let plan) = result { $0.image = plan.image }
                if case .failure(let refusal) = result { $0.failure = refusal.reason }
            }
        }
        guard let boot else { return result }
        do {
            try writer.keep([boot])
            if case .success(let plan) = result {
                try grants.give(plan.grants(boot: boot.id, mac: mac, address: address ?? addressing.address))
            }
        } catch {
            logger.error("cannot keep the boot", metadata: ["node": "\(node.name)", "error": "\(error)"])
            return .failure(BootRefusal("the server cannot write its registry: \(error)"))
        }
        return result
    }

    /// Files that cannot be made are said on the machine's screen, before it loads anything.
    private func refusal(overlay node: Node, _ boot: Boot, _ addressing: NodeAddressing) -> BootRefusal? {
        var address: IPv4Address?
        if case .leased(let leased, _, _, _) = addressing { address = leased }
        let check = overlayProblem.withLock { $0 }
        let question = OverlayQuestion(node: node, mac: boot.mac, address: address, boot: boot.id)
        return check?.run(question).map { BootRefusal("overlay files of \(node.name): \($0)") }
    }

    /// The boot under way, or last seen, of a machine.
    public func boot(of mac: MACAddress) -> Boot? { tracker.withLock { $0.boot(of: mac) } }

    /// The boot of this identifier, when it is its machine's newest.
    func boot(_ id: BootIdentifier) -> Boot? { tracker.withLock { $0.boot(id) } }

    /// How large a node's volume shall be by what the fleet says now, in bytes; nil where it says nothing of one.
    func volumeSize(of mac: MACAddress) -> Int64? {
        let request = NodeRequest(mac: mac, stage: .system)
        let fleet = fleet
        let (node, isKnown) = identify(request, in: fleet)
        guard isKnown else { return nil }
        let settings = fleet.effectiveSettings(for: node, machine: facts(of: request))
        guard settings.root.writes == .keep, settings.root.via != .nfs else { return nil }
        return settings.volume?.value.bytes ?? RootPlan.volumeSize
    }

    private var fleet: Fleet {
        do {
            return try registry.fleet()
        } catch {
            logger.error("cannot read the registry", metadata: ["error": "\(error)"])
            return Fleet()
        }
    }

    private func menuImages(
        for settings: EffectiveSettings,
        in fleet: Fleet
    ) throws(BootRefusal) -> [ImageReference: ImageVersion] {
        var images: [ImageReference: ImageVersion] = [:]
        for case .image(let reference) in settings.menuEntries.value {
            do {
                images[reference] = try fleet.resolved(reference).flatMap { try catalog.resolve($0) }
            } catch {
                throw BootRefusal("the image store cannot be read: \(error)")
            }
        }
        return images
    }

    func image(for settings: EffectiveSettings, in fleet: Fleet) throws(BootRefusal) -> ImageVersion? {
        do {
            guard let wanted = settings.image else { return try catalog.newest() }
            guard let reference = fleet.resolved(wanted.value) else {
                throw BootRefusal(
                    "image \(wanted.value) (\(wanted.source)): there is no such tag; set it with"
                        + " 'diskless image tag \(wanted.value.name)@N TAG'"
                )
            }
            return try catalog.resolve(reference)
        } catch let refusal as BootRefusal {
            throw refusal
        } catch {
            throw BootRefusal("the image store cannot be read: \(error)")
        }
    }

    private func noteLoader(_ boot: BootIdentifier, _ mac: MACAddress) {
        sentLoaders.withLock { sent in
            if sent.count >= 20_000 { sent.removeAll() }
            sent[mac] = boot
        }
    }

    private func hasLoader(_ boot: BootIdentifier, _ mac: MACAddress) -> Bool {
        sentLoaders.withLock { $0[mac] == boot }
    }

    /// Whether a machine is a Raspberry Pi by what it told or by its hardware address.
    func isRaspberryPi(_ mac: MACAddress) -> Bool {
        RaspberryPi(mac: mac, uuid: nil) != nil || raspberryPis.withLock { $0.contains(mac) }
    }

    private func noteRaspberryPi(_ mac: MACAddress) {
        raspberryPis.withLock { known in
            // Whoever makes up hardware addresses must not fill the memory.
            if known.count >= 20_000 { known.removeAll() }
            known.insert(mac)
        }
    }

    // MARK: Recording

    /// Takes in an event: finds the boot it belongs to, logs it, keeps it.
    public func record(_ event: BootEvent, reached progress: Boot.Progress?) {
        say(event)
        keep(event, reached: progress)
    }

    /// For a server that logs what it tells in its own words.
    var keeper: any BootRecorder { Keeper(boots: self) }

    private struct Keeper: BootRecorder {
        let boots: BootService
        func record(_ event: BootEvent, reached progress: Boot.Progress?) { boots.keep(event, reached: progress) }
    }

    private func keep(_ event: BootEvent, reached progress: Boot.Progress?) {
        var event = event
        var changed: Boot?
        if let progress {
            let step = advance(progress, node: event.node, mac: event.mac, at: event.time)
            event.boot = step.boot.id
            changed = step.boot
        } else if event.boot == nil {
            event.boot = boot(of: event.mac)?.id
        }
        if event.kind == .loader, let boot = event.boot { noteLoader(boot, event.mac) }
        // In a menu somebody may have chosen another one than the plan's.
        if event.kind == .kernel, let image = event.image, boot(of: event.mac)?.image != image {
            changed = tracker.withLock { $0.update(event.mac) { $0.image = image } } ?? changed
        }
        if event.kind == .failed {
            changed = tracker.withLock { $0.update(event.mac) { $0.failure = event.detail } } ?? changed
        }
        writer.write(event, changed)
    }

    /// Notes what a machine told of itself, which later requests of the same boot do not repeat.
    private func note(_ request: NodeRequest) {
        let facts = facts(of: request)
        _ = tracker.withLock {
            $0.update(request.mac) {
                if let architecture = request.architecture { $0.architecture = architecture }
                $0.facts = facts
            }
        }
    }

    /// What is known of the machine that asks: what it says now when it is the firmware; what comes after the firmware
    /// has other words for the same machine, and most of them none.
    func facts(of request: NodeRequest) -> MachineFacts {
        let known = boot(of: request.mac)?.facts
        switch request.stage {
        case .firmware, .firmwareHTTP: return MachineFacts(request).completed(by: known)
        case .ipxe, .loader, .system: return MachineFacts(request).overridden(by: known)
        }
    }

    private func advance(
        _ progress: Boot.Progress,
        node: NodeName,
        mac: MACAddress,
        at now: Timestamp
    ) -> BootTracker.Step {
        tracker.withLock { tracker in
            tracker.reached(progress, node: node, mac: mac, now: now) {
                var generator = SystemRandomNumberGenerator()
                return BootIdentifier.random(using: &generator)
            }
        }
    }

    /// What the log says of an event: one line, though a node may send many with its failure.
    static func line(of event: BootEvent) -> Substring {
        event.sentence.split(maxSplits: 1, whereSeparator: \.isNewline).first ?? ""
    }

    private func say(_ event: BootEvent) {
        let level: Logger.Level =
            switch event.kind {
            case .failed, .refuse, .waitsForRoom: .warning
            default: .info
            }
        logger.log(
            level: level,
            "\(Self.line(of: event))",
            metadata: ["node": "\(event.node)", "mac": "\(event.mac)"]
        )
    }

    /// Waits until everything recorded so far is written.
    public func drain() { writer.drain() }
}
