import ByteCoding

/// The bytes of a reply, and what had to stay out of it.
public struct EncodedDHCPReply: Hashable, Sendable {
    /// The UDP payload.
    public var bytes: [UInt8]
    /// Options for which the client left no room, in the reply's order.
    public var omitted: [DHCPOptionCode]
}

extension DHCPMessage {
    /// UDP payloads every client takes: an IP datagram of 576 bytes (RFC 2131 section 2) without its headers.
    public static let defaultPayloadLimit = 576 - 28
    /// Shorter replies are padded to the size of a BOOTP message; old ROMs and relays drop shorter ones.
    public static let minimumPayload = 300

    /// How many bytes of UDP payload this client takes: 548, more when option 57 says so, never more than fits Ethernet
    /// without fragments (ROM stacks cannot put them together).
    ///
    /// A malformed option 57 counts as absent.
    public var payloadLimit: Int {
        guard let size = try? maximumMessageSize() else { return Self.defaultPayloadLimit }
        return min(max(Int(size), 576), 1500) - 28
    }

    /// Encodes a reply of at most `limit` bytes of UDP payload and at least 300.
    ///
    /// Options are written in their order, so the important ones stand first; one that finds no room after the
    /// others goes into `sname` when that is empty (option 52) and else is left out and reported. Relay agent
    /// information is always kept, and always last (RFC 3046 section 2.2).
    public func encodeReply(limit: Int) -> EncodedDHCPReply {
        if let bytes = encodeWholeReply(limit: limit) { return EncodedDHCPReply(bytes: bytes, omitted: []) }
        let relay = options.entries.filter { $0.code == .relayAgentInformation }
        let others = options.entries.filter {
            $0.code != .relayAgentInformation && $0.code != .pad && $0.code != .overload
        }
        // The cookie, END and the three bytes of option 52 have their room in any case.
        var room = limit - Self.headerSize - 4 - 1 - 3 - relay.reduce(0) { $0 + $1.encodedSize }
        var nameRoom = serverNameField.allSatisfy { $0 == 0 } ? serverNameField.count - 1 : 0
        var main: [DHCPOption] = []
        var inName: [DHCPOption] = []
        var omitted: [DHCPOptionCode] = []
        for option in others {
            if option.encodedSize <= room {
                main.append(option)
                room -= option.encodedSize
            } else if option.encodedSize <= nameRoom {
                inName.append(option)
                nameRoom -= option.encodedSize
            } else {
                omitted.append(option.code)
            }
        }
        var message = self
        if !inName.isEmpty {
            main.append(DHCPOption(.overload, [2]))
            var field = ByteWriter(capacity: 64)
            DHCPOptions(inName).write(to: &field)
            field.writeZeros(64 - field.count)
            message.serverNameField = field.bytes
        }
        message.vendorArea = nil
        var writer = ByteWriter(capacity: max(limit, Self.minimumPayload))
        message.writeHeader(to: &writer)
        writer.writeUInt32(Self.cookie)
        DHCPOptions(main + relay).write(to: &writer)
        writer.writeZeros(Self.minimumPayload - writer.count)
        return EncodedDHCPReply(bytes: writer.bytes, omitted: omitted)
    }
    /// The reply when all of it finds room as it stands, which is nearly always; nil otherwise.
    private func encodeWholeReply(limit: Int) -> [UInt8]? {
        var size = Self.headerSize + 4 + 1
        for (index, option) in options.entries.enumerated() {
            if option.code == .pad || option.code == .end || option.code == .overload { return nil }
            if option.code == .relayAgentInformation, index != options.entries.count - 1 { return nil }
            size += option.encodedSize
        }
        guard size <= limit else { return nil }
        var writer = ByteWriter(capacity: max(size, Self.minimumPayload))
        writeHeader(to: &writer)
        writer.writeUInt32(Self.cookie)
        for option in options.entries { option.write(to: &writer) }
        writer.writeUInt8(DHCPOptionCode.end.rawValue)
        writer.writeZeros(Self.minimumPayload - writer.count)
        return writer.bytes
    }
}
