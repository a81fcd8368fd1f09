public import BootModel
public import NetworkTypes

/// One line of `diskless node list --unknown`.
public struct UnknownMachineRecord: Hashable, Sendable, Codable {
    /// A Raspberry Pi's board.
    public struct Board: Hashable, Sendable, Codable {
        /// Its name: "Raspberry Pi 4".
        public var model: String
        /// Its revision code in hexadecimal, when it told.
        public var revision: String?
        /// Its serial number in hexadecimal, eight digits, when it told.
        public var serial: String?
    }

    /// Its hardware address.
    public var mac: MACAddress
    /// For a person: its board, else its kind of machine and firmware.
    public var kind: String
    /// The vendor class that it told.
    public var vendorClass: String?
    /// The architecture's short name, such as `x64-efi`.
    public var architecture: String?
    /// The UUID that it told.
    public var uuid: MachineUUID?
    /// Its board, if it is a Raspberry Pi.
    public var board: Board?
    /// When it asked for the first time.
    public var firstSeen: Timestamp
    /// When it asked last.
    public var lastSeen: Timestamp
    /// How often it has asked.
    public var requests: Int

    /// What the API says of a machine.
    public init(_ machine: UnknownMachine) {
        mac = machine.mac
        kind = machine.words
        vendorClass = machine.vendorClass
        architecture = machine.architecture?.name
        uuid = machine.uuid
        board = machine.raspberryPi.map {
            Board(
                model: $0.model.map { "Raspberry Pi \($0)" } ?? "Raspberry Pi",
                revision: $0.revision.map { String($0, radix: 16) },
                serial: $0.serialText
            )
        }
        firstSeen = machine.firstSeen
        lastSeen = machine.lastSeen
        requests = machine.requests
    }
}
