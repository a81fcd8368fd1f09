public import NetworkTypes

/// A machine that asked how to boot and that nobody has given a name yet.
public struct UnknownMachine: Hashable, Sendable {
    /// Its hardware address.
    public var mac: MACAddress
    /// The vendor class it told (option 60), at most 64 characters.
    public var vendorClass: String?
    /// What kind of machine and firmware it is.
    public var architecture: ClientArchitecture?
    /// Its UUID.
    public var uuid: MachineUUID?
    /// When it asked for the first time.
    public var firstSeen: Timestamp
    /// When it asked last.
    public var lastSeen: Timestamp
    /// How often it has asked.
    public var requests: Int

    /// A machine from its parts.
    public init(
        mac: MACAddress,
        vendorClass: String? = nil,
        architecture: ClientArchitecture? = nil,
        uuid: MachineUUID? = nil,
        firstSeen: Timestamp,
        lastSeen: Timestamp,
        requests: Int = 1
    ) {
        self.mac = mac
        self.vendorClass = vendorClass
        self.architecture = architecture
        self.uuid = uuid
        self.firstSeen = firstSeen
        self.lastSeen = lastSeen
        self.requests = requests
    }

    /// The board, if it is a Raspberry Pi.
    public var raspberryPi: RaspberryPi? { RaspberryPi(mac: mac, uuid: uuid) }

    /// For a table: "x86-64 UEFI", "Raspberry Pi 4, revision c03111, serial 12345678".
    public var words: String { raspberryPi?.words ?? architecture?.words ?? "unknown" }
}

/// Keeps the machines that nobody has named, over restarts of the server.
///
/// Implemented by `Registry`.
public protocol UnknownMachineStore: Sendable {
    /// Those that were kept last.
    func unknownMachines() throws -> [UnknownMachine]
    /// Keeps these, and no others.
    func keep(unknownMachines machines: [UnknownMachine]) throws
}

/// The unknown machines that were seen, at most so many.
///
/// Who floods the wire with made-up addresses pushes out what was seen once or twice first: a machine that boots asks more
/// often than that.
public struct UnknownMachines: Sendable {
    /// How many are kept.
    public static let limit = 1024
    private static let vendorClassLimit = 64
    private static let roomMade = 32

    private var machines: [MACAddress: UnknownMachine] = [:]

    /// Those that were kept.
    public init(_ kept: [UnknownMachine] = []) {
        for machine in kept.prefix(Self.limit) { machines[machine.mac] = machine }
    }

    /// Every one, the last seen first.
    public var all: [UnknownMachine] {
        machines.values.sorted { ($0.lastSeen, $0.mac.value) > ($1.lastSeen, $1.mac.value) }
    }

    /// Takes note of a request of a machine without a name; true when there is something new to keep.
    ///
    /// Requests that tell nothing of the machine, and those of operating systems, are none of a boot.
    public mutating func note(_ request: NodeRequest, now: Timestamp) -> Bool {
        guard request.stage != .system,
            request.vendorClass != nil || request.architecture != nil || request.uuid != nil
        else { return false }
        var machine =
            machines[request.mac] ?? UnknownMachine(mac: request.mac, firstSeen: now, lastSeen: now, requests: 0)
        if machine.requests == 0, machines.count >= Self.limit { makeRoom() }
        // iPXE says less of the machine than its firmware, whose words stay.
        let isFirmware = request.stage == .firmware || request.stage == .firmwareHTTP
        if isFirmware || machine.vendorClass == nil {
            machine.vendorClass = request.vendorClass.map(Self.printable) ?? machine.vendorClass
        }
        if isFirmware || machine.architecture == nil {
            machine.architecture = request.architecture ?? machine.architecture
        }
        machine.uuid = request.uuid ?? machine.uuid
        machine.lastSeen = now
        machine.requests += 1
        machines[request.mac] = machine
        return true
    }

    /// Forgets a machine; it has a name now.
    public mutating func forget(_ mac: MACAddress) -> Bool { machines.removeValue(forKey: mac) != nil }

    /// Room for many at once: each search looks at all of them, and a flood makes one for each new address.
    private mutating func makeRoom() {
        let order = machines.values.sorted {
            (min($0.requests, 3), $0.lastSeen) < (min($1.requests, 3), $1.lastSeen)
        }
        for machine in order.prefix(Self.roomMade) { machines[machine.mac] = nil }
    }

    /// What comes from the network must not end a line or move a terminal's cursor.
    private static func printable(_ text: String) -> String {
        if text.utf8.count <= vendorClassLimit, text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
        let characters = text.unicodeScalars.prefix(vendorClassLimit).map {
            (0x20..<0x7F).contains($0.value) ? $0 : "?"
        }
        return String(String.UnicodeScalarView(characters))
    }
}
