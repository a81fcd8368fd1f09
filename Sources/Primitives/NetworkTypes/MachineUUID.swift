/// A machine's UUID as its firmware tells it (SMBIOS type 1, DHCP option 97), kept as the 16 bytes of the wire.
///
/// The text form follows SMBIOS 2.6 and later: the first three fields are little endian on the wire, so that the
/// text equals `/sys/class/dmi/id/product_uuid` and iPXE's `${uuid}`.
public struct MachineUUID: Hashable, Sendable {
    /// The 16 bytes in wire order.
    public let bytes: [UInt8]

    private static let textOrder = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]

    /// From exactly 16 bytes in wire order, else nil.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.bytes = Array(bytes)
    }

    /// Whether the firmware had nothing to tell: all zeros or all ones occur in the field.
    public var isUnset: Bool { bytes.allSatisfy { $0 == 0 } || bytes.allSatisfy { $0 == 0xff } }
}

extension MachineUUID: LosslessStringConvertible, Codable {
    /// From `8-4-4-4-12` hexadecimal digits; else nil.
    public init?(_ description: String) {
        let groups = description.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12], groups.allSatisfy({ $0.allSatisfy(\.isHexDigit) }) else {
            return nil
        }
        let digits = Array(groups.joined())
        var wire = [UInt8](repeating: 0, count: 16)
        for (position, index) in Self.textOrder.enumerated() {
            guard let byte = UInt8(String(digits[2 * position...2 * position + 1]), radix: 16) else { return nil }
            wire[index] = byte
        }
        bytes = wire
    }

    /// `8-4-4-4-12` hexadecimal digits, lower case.
    public var description: String {
        var text = ""
        for (position, index) in Self.textOrder.enumerated() {
            if [4, 6, 8, 10].contains(position) { text += "-" }
            text += (bytes[index] < 16 ? "0" : "") + String(bytes[index], radix: 16)
        }
        return text
    }

    /// From its text form.
    public init(from decoder: any Decoder) throws { self = try decodeText(from: decoder, "UUID") }
    /// As its text form.
    public func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}
