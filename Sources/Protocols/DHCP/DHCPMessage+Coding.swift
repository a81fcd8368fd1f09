import ByteCoding
import NetworkTypes

extension DHCPMessage {
    /// Decodes one UDP payload.
    ///
    /// A message without the magic cookie is BOOTP: it has no options. A missing END and padding anywhere are
    /// accepted, as clients do both; an option that runs over the end of its field is not.
    public init(decoding bytes: Span<UInt8>) throws(DHCPDecodingError) {
        var reader = ByteReader(bytes)
        do {
            operation = DHCPOperation(rawValue: try reader.readUInt8())
            let type = try reader.readUInt8()
            let length = try reader.readUInt8()
            hops = try reader.readUInt8()
            transaction = try reader.readUInt32()
            seconds = try reader.readUInt16()
            flags = try reader.readUInt16()
            clientAddress = IPv4Address(value: try reader.readUInt32())
            yourAddress = IPv4Address(value: try reader.readUInt32())
            nextServer = IPv4Address(value: try reader.readUInt32())
            relayAgent = IPv4Address(value: try reader.readUInt32())
            let high = try reader.readUInt64()
            hardware = ClientHardware(type: type, length: length, high: high, low: try reader.readUInt64())
            try reader.skip(64 + 128)
        } catch {
            throw .truncatedHeader(available: bytes.count)
        }
        serverNameField = Self.field(bytes.extracting(44..<108), Self.emptyServerName)
        bootFileField = Self.field(bytes.extracting(108..<236), Self.emptyBootFile)
        guard let cookie = try? reader.readUInt32(), cookie == Self.cookie else {
            var area = ByteReader(bytes.extracting(droppingFirst: Self.headerSize))
            vendorArea = area.readRemainingBytes()
            options = DHCPOptions()
            return
        }
        options = try DHCPOptions(
            decoding: bytes.extracting(droppingFirst: Self.headerSize + 4),
            offset: Self.headerSize + 4
        )
        let places = overload
        if places & 1 != 0 {
            overloadedOptions += try DHCPOptions(decoding: bootFileField.span, offset: 108).meaningful
        }
        if places & 2 != 0 {
            overloadedOptions += try DHCPOptions(decoding: serverNameField.span, offset: 44).meaningful
        }
    }

    /// The bytes of a field, which is nearly always empty; `empty` is shared by all that are.
    private static func field(_ bytes: Span<UInt8>, _ empty: [UInt8]) -> [UInt8] {
        var words = ByteReader(bytes)
        var all: UInt64 = 0
        while let word = try? words.readUInt64() { all |= word }
        if all == 0 { return empty }
        var reader = ByteReader(bytes)
        return reader.readRemainingBytes()
    }

    /// The bytes of this message as it stands, without padding of its own and without any limit.
    public func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 576)
        writeHeader(to: &writer)
        if let vendorArea {
            writer.writeBytes(vendorArea)
        } else {
            writer.writeUInt32(Self.cookie)
            options.write(to: &writer)
        }
        return writer.bytes
    }

    func writeHeader(to writer: inout ByteWriter) {
        writer.writeUInt8(operation.rawValue)
        writer.writeUInt8(hardware.type)
        writer.writeUInt8(hardware.length)
        writer.writeUInt8(hops)
        writer.writeUInt32(transaction)
        writer.writeUInt16(seconds)
        writer.writeUInt16(flags)
        writer.writeUInt32(clientAddress.value)
        writer.writeUInt32(yourAddress.value)
        writer.writeUInt32(nextServer.value)
        writer.writeUInt32(relayAgent.value)
        writer.writeUInt64(hardware.words.high)
        writer.writeUInt64(hardware.words.low)
        writer.writeBytes(serverNameField)
        writer.writeBytes(bootFileField)
    }

    /// Every option that says something: those after the cookie, then those in `file`, then those in `sname`.
    public var allOptions: [DHCPOption] {
        overloadedOptions.isEmpty ? options.meaningful : options.meaningful + overloadedOptions
    }

    /// The value of the first option with `code`; nil when there is none.
    ///
    /// For options of a fixed size, of which clients are seen to send copies.
    public func first(_ code: DHCPOptionCode) -> [UInt8]? {
        options.first(code)?.value ?? overloadedOptions.first { $0.code == code }?.value
    }

    /// The values of all options with `code` put together (RFC 3396 section 7); nil when there is none.
    public func joined(_ code: DHCPOptionCode) -> [UInt8]? {
        var value: [UInt8]?
        for option in options.entries where option.code == code { value = (value ?? []) + option.value }
        for option in overloadedOptions where option.code == code { value = (value ?? []) + option.value }
        return value
    }
}

extension Span<UInt8> {
    @_lifetime(copy self)
    fileprivate func extracting(droppingFirst count: Int) -> Span<UInt8> { extracting(count..<self.count) }
}

/// Why bytes are not a DHCP message.
public enum DHCPDecodingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Fewer bytes than the fixed header's 236.
    case truncatedHeader(available: Int)
    /// An option's length leads over the end of its field; `offset` counts from the start of the message.
    case truncatedOption(code: DHCPOptionCode, offset: Int)

    /// For a log line.
    public var description: String {
        switch self {
        case .truncatedHeader(let available): "\(available) bytes are too short for a DHCP message (236 at least)"
        case .truncatedOption(let code, let offset): "option \(code) at byte \(offset) runs over the end"
        }
    }
}
