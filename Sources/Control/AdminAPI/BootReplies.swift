public import BootModel
public import NetworkTypes

/// One event of a boot, ready to be shown.
public struct EventRecord: Hashable, Sendable, Codable {
    /// When.
    public var time: Timestamp
    /// Seconds since the boot began; nil when it belongs to none.
    public var offset: Double?
    /// Whose.
    public var node: NodeName
    /// The hardware address it came from.
    public var mac: MACAddress
    /// Which boot.
    public var boot: BootIdentifier?
    /// What, as one word.
    public var kind: String
    /// What, as a person reads it.
    public var text: String
    /// The node's address.
    public var address: IPv4Address?
    /// A file, URL or export that it is about.
    public var file: String?
    /// How many bytes were sent.
    public var bytes: Int64?
    /// How long it took, in seconds.
    public var seconds: Double?
    /// Who asked or why.
    public var detail: String?

    /// An event as a record; `started` is when its boot began.
    public init(_ event: BootEvent, started: Timestamp?) {
        time = event.time
        offset = started.map { event.time.seconds(since: $0) }
        node = event.node
        mac = event.mac
        boot = event.boot
        kind = event.kind.rawValue
        text = event.sentence
        if event.kind == .up, let offset { text = "up after \(Self.tenths(offset)) s" }
        address = event.address
        file = event.file
        bytes = event.bytes
        seconds = event.seconds
        detail = event.detail
    }

    /// Seconds with one decimal: `21.3`.
    public static func tenths(_ seconds: Double) -> String {
        let tenths = Int64((max(-1e12, min(1e12, seconds)) * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
    }
}

/// One boot, ready to be shown.
public struct BootRecord: Hashable, Sendable, Codable {
    /// Which boot.
    public var id: BootIdentifier
    /// Whose.
    public var node: NodeName
    /// The hardware address it boots from.
    public var mac: MACAddress
    /// When its first event happened.
    public var started: Timestamp
    /// `up`, `failed`, or how far it has come: `firmware`, `loader`, `script`, `kernel`, `initramfs`, `root`.
    public var state: String
    /// Seconds from its first event to `up`.
    public var upAfter: Double?
    /// The image version it was given.
    public var image: ImageVersionID?
    /// The architecture it told, by its short name.
    public var architecture: String?
    /// Why it failed.
    public var failure: String?
    /// Its events in order; nil where a reply leaves them out.
    public var events: [EventRecord]?

    /// A boot as a record.
    public init(_ boot: Boot, events: [BootEvent]? = nil) {
        id = boot.id
        node = boot.node
        mac = boot.mac
        started = boot.started
        state = boot.progress == .up ? "up" : boot.failure != nil ? "failed" : Self.word(boot.progress)
        upAfter = boot.up.map { $0.seconds(since: boot.started) }
        image = boot.image
        architecture = boot.architecture?.name
        failure = boot.failure
        self.events = events?.map { EventRecord($0, started: boot.started) }
    }

    private static func word(_ progress: Boot.Progress) -> String {
        switch progress {
        case .firmware: "firmware"
        case .loader, .loaderRuns: "loader"
        case .script: "script"
        case .kernel: "kernel"
        case .initramfs: "initramfs"
        case .root: "root"
        case .up: "up"
        }
    }
}
