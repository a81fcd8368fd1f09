public import NetworkTypes

extension DHCPMessage {
    /// The kinds of machine the client can boot as, the preferred first (option 93, RFC 4578 section 2.1).
    public func clientArchitectures() throws(DHCPOptionError) -> [UInt16]? {
        guard let value = joined(.clientArchitecture) else { return nil }
        guard !value.isEmpty, value.count % 2 == 0 else {
            throw DHCPOptionError(.clientArchitecture, "\(value.count) bytes are not a list of two-byte numbers")
        }
        return stride(from: 0, to: value.count, by: 2).map { UInt16(value[$0]) << 8 | UInt16(value[$0 + 1]) }
    }

    /// The ROM's network driver interface: type (1 is UNDI), major, minor (option 94, RFC 4578 section 2.2).
    public func networkInterface() throws(DHCPOptionError) -> (type: UInt8, major: UInt8, minor: UInt8)? {
        guard let value = first(.networkInterface) else { return nil }
        guard value.count == 3 else { throw DHCPOptionError(.networkInterface, "3 bytes wanted, \(value.count) there") }
        return (value[0], value[1], value[2])
    }

    /// The machine's UUID (option 97, RFC 4578 section 2.3); nil when absent.
    ///
    /// Firmware without a UUID sends an empty option: that counts as absent. Firmware set to send its UUID instead
    /// of its hardware address (EDK2's SendGUID) has it in `chaddr` with the length 16.
    public func machineUUID() throws(DHCPOptionError) -> MachineUUID? {
        guard let value = first(.machineIdentifier), !value.isEmpty else {
            return hardware.length == 16 ? MachineUUID(bytes: hardware.bytes) : nil
        }
        guard value.count == 17, value[0] == 0, let uuid = MachineUUID(bytes: value.dropFirst()) else {
            throw DHCPOptionError(.machineIdentifier, "a zero and 16 bytes wanted, \(value.count) bytes there")
        }
        return uuid
    }
}

extension DHCPOption {
    /// Option 93.
    public static func clientArchitectures(_ numbers: [UInt16]) -> DHCPOption {
        DHCPOption(.clientArchitecture, numbers.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] })
    }
    /// Option 97.
    public static func machineUUID(_ uuid: MachineUUID) -> DHCPOption {
        DHCPOption(.machineIdentifier, [0] + uuid.bytes)
    }
}
