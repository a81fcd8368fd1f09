public import NetworkTypes

/// One attempt of one node to boot: the head of a timeline of events.
public struct Boot: Hashable, Sendable, Codable {
    /// How far a boot has come; only ever rises within one boot.
    public enum Progress: Int, Hashable, Sendable, Codable, Comparable, CaseIterable {
        /// Firmware asks.
        case firmware
        /// A loader was sent.
        case loader
        /// The loader asks.
        case loaderRuns
        /// It has its script.
        case script
        /// It has its kernel.
        case kernel
        /// Its initramfs runs.
        case initramfs
        /// Its root is connected.
        case root
        /// It is up.
        case up

        /// The less far is less.
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// Which boot.
    public var id: BootIdentifier
    /// Whose.
    public var node: NodeName
    /// The hardware address it boots from.
    public var mac: MACAddress
    /// When its first event happened.
    public var started: Timestamp
    /// How far it has come.
    public var progress: Progress
    /// The image version it was given, once known.
    public var image: ImageVersionID?
    /// The architecture it told, once known.
    public var architecture: ClientArchitecture?
    /// What its firmware told besides, for profiles that apply themselves; nil when nothing.
    public var facts: MachineFacts?
    /// When it was up.
    public var up: Timestamp?
    /// Why it failed, when it said so.
    public var failure: String?

    /// A boot from its parts.
    public init(
        id: BootIdentifier,
        node: NodeName,
        mac: MACAddress,
        started: Timestamp,
        progress: Progress = .firmware,
        image: ImageVersionID? = nil,
        architecture: ClientArchitecture? = nil
    ) {
        self.id = id
        self.node = node
        self.mac = mac
        self.started = started
        self.progress = progress
        self.image = image
        self.architecture = architecture
    }
}

/// Tells which boot an event belongs to: pure state, one current boot a hardware address.
///
/// A machine is believed to have started over when something arrives that belongs before the point its boot has
/// reached: a firmware's DISCOVER after a loader was running, a loader's DISCOVER after a script was sent.
public struct BootTracker: Sendable {
    private var current: [MACAddress: Boot]

    /// How many machines are kept in mind; whoever makes up hardware addresses must not fill the memory.
    static let limit = 20_000

    /// A tracker that goes on with the newest known boot of each machine.
    public init(restoring boots: [Boot] = []) {
        current = [:]
        for boot in boots.sorted(by: { $0.started < $1.started }) { current[boot.mac] = boot }
    }

    /// The boot under way, or last seen, of a machine.
    public func boot(of mac: MACAddress) -> Boot? { current[mac] }

    /// The boot of this identifier, when it is its machine's newest.
    public func boot(_ id: BootIdentifier) -> Boot? { current.values.first { $0.id == id } }

    /// What an arrival made of the boot of a machine.
    public struct Step: Sendable, Equatable {
        /// The boot that the event belongs to, as it is now.
        public var boot: Boot
        /// Whether it began with this event.
        public var isNew: Bool
    }

    /// Takes in that a machine has reached `progress`, and tells the boot this belongs to.
    ///
    /// `retry` is for a boot that stands still: the same step again after so many seconds is a new attempt.
    public mutating func reached(
        _ progress: Boot.Progress,
        node: NodeName,
        mac: MACAddress,
        now: Timestamp,
        retryAfter retry: Double = 120,
        newIdentifier: () -> BootIdentifier
    ) -> Step {
        // A node that is renamed while it boots or runs goes on with its boot; only a loader begins one.
        if var boot = current[mac], boot.node == node || progress > .script,
            !startsOver(boot, with: progress, now: now, retryAfter: retry)
        {
            boot.progress = max(boot.progress, progress)
            if progress == .up, boot.up == nil { boot.up = now }
            current[mac] = boot
            return Step(boot: boot, isNew: false)
        }
        let boot = Boot(id: newIdentifier(), node: node, mac: mac, started: now, progress: progress)
        current[mac] = boot
        if current.count > Self.limit { forgetSome() }
        return Step(boot: boot, isNew: true)
    }

    /// Forgets a quarter of the machines: first those that never got a kernel, of these the oldest boots.
    private mutating func forgetSome() {
        let leastWanted = current.values.sorted {
            ($0.progress > .script ? 1 : 0, $0.started) < ($1.progress > .script ? 1 : 0, $1.started)
        }
        for boot in leastWanted.prefix(Self.limit / 4) { current[boot.mac] = nil }
    }

    /// Changes what is known of a machine's boot; nil when it has none.
    public mutating func update(_ mac: MACAddress, _ change: (inout Boot) -> Void) -> Boot? {
        guard var boot = current[mac] else { return nil }
        change(&boot)
        current[mac] = boot
        return boot
    }

    private func startsOver(_ boot: Boot, with progress: Boot.Progress, now: Timestamp, retryAfter: Double) -> Bool {
        switch progress {
        case .firmware:
            // Firmware repeats its DISCOVER until it is answered, and once more while its loader is on the way.
            boot.progress > .loader || (boot.progress == .firmware && now.seconds(since: boot.started) > retryAfter)
        case .loaderRuns: boot.progress > .loaderRuns
        // The script is asked again only by a loader that runs again.
        case .script: boot.progress > .kernel
        case .loader, .kernel, .initramfs, .root, .up: false
        }
    }
}
