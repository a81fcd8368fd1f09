public import NetworkTypes

/// What a Raspberry Pi's boot ROM or EEPROM tells of its board.
///
/// Known by the identifier in DHCP option 97 (rpi-eeprom: `RPi4`, board revision, low half of the hardware address and
/// serial number, each 32 bits little endian), else by the makers' part of the hardware address.
public struct RaspberryPi: Hashable, Sendable {
    /// The model's number: 2 to 5; nil when only the hardware address tells.
    public var model: Int?
    /// The board revision, as `/proc/cpuinfo` has it.
    public var revision: UInt32?
    /// The low 32 bits of the serial number.
    public var serial: UInt32?

    /// The makers' parts of Raspberry Pi hardware addresses.
    private static let makers: Set<UInt64> = [
        0xb827eb, 0xdca632, 0xe45f01, 0xd83add, 0x28cdc1, 0x2ccf67, 0x88a29e,
    ]

    /// From what a machine told; nil when it is no Raspberry Pi.
    public init?(mac: MACAddress, uuid: MachineUUID?) {
        if let bytes = uuid?.bytes, bytes.prefix(3).elementsEqual("RPi".utf8), (0x30...0x39).contains(bytes[3]) {
            func number(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) } }
            (model, revision, serial) = (Int(bytes[3] - 0x30), number(4), number(12))
        } else if Self.makers.contains(mac.value >> 24) {
            (model, revision, serial) = (nil, nil, nil)
        } else {
            return nil
        }
    }

    /// The folder its firmware asks in first: eight hexadecimal digits, lower case.
    public var serialText: String? {
        serial.map { serial in
            let digits = String(serial, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }
    }

    /// For a sentence: "Raspberry Pi 4, revision c03112, serial 1a2b3c4d".
    public var words: String {
        guard let model, let revision, let serialText else { return "Raspberry Pi" }
        return "Raspberry Pi \(model), revision \(String(revision, radix: 16)), serial \(serialText)"
    }
}

extension NodeRequest {
    /// The Raspberry Pi that asks; nil when it is another machine, or another program than its firmware.
    ///
    /// A Pi with UEFI firmware says so by its architecture; its own firmware says 0 or nothing.
    public var raspberryPi: RaspberryPi? {
        guard stage == .firmware, architecture == nil || architecture == .bios || architecture == .raspberryPi else {
            return nil
        }
        return RaspberryPi(mac: mac, uuid: uuid)
    }
}
