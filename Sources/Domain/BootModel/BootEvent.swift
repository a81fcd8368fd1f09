public import NetworkTypes

/// One thing that happened in a boot.
public struct BootEvent: Hashable, Sendable, Codable {
    /// When.
    public var time: Timestamp
    /// Which boot; nil for what belongs to none (an operating system renewing its lease).
    public var boot: BootIdentifier?
    /// Whose.
    public var node: NodeName
    /// The hardware address it came from.
    public var mac: MACAddress
    /// What.
    public var kind: Kind
    /// The node's address, when known.
    public var address: IPv4Address?
    /// A file, URL or export that it is about.
    public var file: String?
    /// How many bytes were sent.
    public var bytes: Int64?
    /// How long it took, in seconds.
    public var seconds: Double?
    /// Who asked or why, in words: "x86-64 UEFI firmware", a reason.
    public var detail: String?

    /// An event from its parts.
    public init(
        time: Timestamp,
        boot: BootIdentifier? = nil,
        node: NodeName,
        mac: MACAddress,
        kind: Kind,
        address: IPv4Address? = nil,
        file: String? = nil,
        bytes: Int64? = nil,
        seconds: Double? = nil,
        detail: String? = nil
    ) {
        self.time = time
        self.boot = boot
        self.node = node
        self.mac = mac
        self.kind = kind
        self.address = address
        self.file = file
        self.bytes = bytes
        self.seconds = seconds
        self.detail = detail
    }

    /// What happened.
    ///
    /// Kinds that a newer version wrote are kept as they are.
    public struct Kind: RawRepresentable, Hashable, Sendable, Codable {
        /// The word it is stored and printed as.
        public var rawValue: String
        /// From its word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// DHCPDISCOVER arrived; `detail` says from whom.
        public static let discover = Kind(rawValue: "discover")
        /// DHCPOFFER sent; `file` is the boot file.
        public static let offer = Kind(rawValue: "offer")
        /// DHCPREQUEST arrived.
        public static let request = Kind(rawValue: "request")
        /// DHCPACK sent.
        public static let acknowledge = Kind(rawValue: "acknowledge")
        /// DHCPNAK sent, or no boot given; `detail` says why.
        public static let refuse = Kind(rawValue: "refuse")
        /// A loader was sent.
        public static let loader = Kind(rawValue: "loader")
        /// The loader script was sent.
        public static let script = Kind(rawValue: "script")
        /// The kernel was sent.
        public static let kernel = Kind(rawValue: "kernel")
        /// The initramfs was sent.
        public static let initramfs = Kind(rawValue: "initramfs")
        /// The overlay files were sent.
        public static let overlay = Kind(rawValue: "overlay")
        /// A transfer ended early; `detail` says how.
        public static let aborted = Kind(rawValue: "aborted")
        /// The node's initramfs runs (its own report).
        public static let initramfsStarted = Kind(rawValue: "initramfs-started")
        /// The node connected its root.
        public static let rootConnected = Kind(rawValue: "root-connected")
        /// The node's root connection ended.
        public static let rootDisconnected = Kind(rawValue: "root-disconnected")
        /// What the node writes waits for room on the server's disk; `detail` says how much that has.
        public static let waitsForRoom = Kind(rawValue: "waits-for-room")
        /// It found room; `seconds` says how long it waited.
        public static let foundRoom = Kind(rawValue: "found-room")
        /// The node has mounted its root (its own report).
        public static let rootMounted = Kind(rawValue: "root-mounted")
        /// The node is up (its own report).
        public static let up = Kind(rawValue: "up")
        /// The node says that it cannot go on; `detail` says why.
        public static let failed = Kind(rawValue: "failed")
    }
}

extension BootEvent {
    /// The event in words, without time and node: "sent the kernel, 14.2 MB in 0.45 s".
    public var sentence: String {
        switch kind {
        case .discover: "DISCOVER" + (detail.map { " from \($0)" } ?? "")
        case .offer: "OFFER" + (address.map { " \($0)" } ?? "") + (file.map { ", boot file \($0)" } ?? "")
        case .request: "REQUEST" + (address.map { " \($0)" } ?? "")
        case .acknowledge: "ACK" + (address.map { " \($0)" } ?? "") + (file.map { ", boot file \($0)" } ?? "")
        case .refuse: "refused" + (detail.map { ": \($0)" } ?? "")
        case .loader: "sent loader \(file ?? "")" + transfer
        case .script: "sent the boot script" + (detail.map { " (\($0))" } ?? "")
        case .kernel: "sent the kernel" + ofImage + transfer
        case .initramfs: "sent the initramfs" + ofImage + transfer
        case .overlay: "sent the overlay files" + transfer + (detail.map { ": \($0)" } ?? "")
        case .aborted: "transfer of \(file ?? "a file") ended early" + transfer + (detail.map { ": \($0)" } ?? "")
        case .initramfsStarted: "initramfs runs"
        case .rootConnected: "root connected" + (file.map { ": \($0)" } ?? "")
        case .rootDisconnected: "root disconnected" + (detail.map { ": \($0)" } ?? "")
        case .waitsForRoom: "waits for room on the server's disk" + (detail.map { ": \($0)" } ?? "")
        case .foundRoom: "goes on: there is room" + (seconds.map { " after \(Self.decimal($0)) s" } ?? "")
        case .rootMounted: "root mounted"
        case .up: "up" + (seconds.map { " after \(Self.decimal($0)) s" } ?? "")
        case .failed: "failed" + (detail.map { ": \($0)" } ?? "")
        default: kind.rawValue + (detail.map { ": \($0)" } ?? "")
        }
    }

    /// The image version whose file it is about: a menu offers several.
    public var image: ImageVersionID? {
        file.flatMap { file in
            file.firstIndex(of: "/").flatMap { ImageVersionID(String(file[..<$0])) }
        }
    }

    private var ofImage: String { image.map { " of \($0)" } ?? "" }

    private var transfer: String {
        guard let bytes else { return "" }
        let size =
            bytes < 1_000_000
            ? "\(Self.decimal(Double(bytes) / 1000)) kB" : "\(Self.decimal(Double(bytes) / 1_000_000)) MB"
        return ", \(size)" + (seconds.map { " in \(Self.decimal($0, places: 2)) s" } ?? "")
    }

    private static func decimal(_ value: Double, places: Int = 1) -> String {
        let scale = places == 1 ? 10.0 : 100.0
        let rounded = Int64((value * scale).rounded())
        let fraction = String(rounded % Int64(scale))
        return "\(rounded / Int64(scale))." + String(repeating: "0", count: max(0, places - fraction.count)) + fraction
    }
}
