public import ByteCoding

/// Why bytes are no TFTP packet.
public enum TFTPDecodingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The packet ended before its field did.
    case truncated(ByteReaderError)
    /// A text field has no end mark; the offset of its first byte.
    case unterminatedText(offset: Int)
    /// The first two bytes name no operation.
    case unknownOperation(UInt16)
    /// More bytes than the operation has; the offset of the first.
    case trailingBytes(offset: Int)

    /// For a log line.
    public var description: String {
        switch self {
        case .truncated(let error): "\(error)"
        case .unterminatedText(let offset): "text from byte \(offset) has no end mark"
        case .unknownOperation(let code): "unknown operation \(code)"
        case .trailingBytes(let offset): "unexpected bytes from byte \(offset)"
        }
    }
}

/// One TFTP packet (RFC 1350 section 5; OACK RFC 2347).
public enum TFTPPacket: Hashable, Sendable {
    /// RRQ: the client wants a file.
    case readRequest(TFTPRequest)
    /// WRQ: the client wants to store a file. Always refused here.
    case writeRequest(TFTPRequest)
    /// DATA: one block of the file.
    case data(block: UInt16, [UInt8])
    /// ACK: everything up to this block has arrived.
    case acknowledgement(block: UInt16)
    /// ERROR: the transfer is over.
    case error(TFTPErrorCode, String)
    /// OACK: the options that the server grants.
    case optionAcknowledgement([TFTPOption])

    /// Decodes one datagram.
    public init(_ bytes: Span<UInt8>) throws(TFTPDecodingError) {
        var reader = ByteReader(bytes)
        do {
            let operation = try reader.readUInt16()
            switch operation {
            case 1, 2:
                let request = try Self.request(bytes)
                self = operation == 1 ? .readRequest(request) : .writeRequest(request)
            case 3:
                self = .data(block: try reader.readUInt16(), reader.readRemainingBytes())
            case 4:
                // Bytes after the block number occur (padding to the shortest Ethernet frame) and mean nothing.
                self = .acknowledgement(block: try reader.readUInt16())
            case 5:
                let code = TFTPErrorCode(rawValue: try reader.readUInt16())
                // Some ROMs leave the message or its end mark out; an error is an error.
                self = .error(code, text(reader.readRemainingBytes().prefix { $0 != 0 }))
            case 6:
                self = .optionAcknowledgement(options(bytes, from: 2))
            default:
                throw TFTPDecodingError.unknownOperation(operation)
            }
        } catch let error as TFTPDecodingError {
            throw error
        } catch let error as ByteReaderError {
            throw .truncated(error)
        } catch {
            throw .trailingBytes(offset: 0)
        }
    }

    private static func request(_ bytes: Span<UInt8>) throws(TFTPDecodingError) -> TFTPRequest {
        var position = 2
        guard let name = field(bytes, &position) else { throw .unterminatedText(offset: 2) }
        let modeAt = position
        guard let mode = field(bytes, &position) else { throw .unterminatedText(offset: modeAt) }
        return TFTPRequest(
            fileName: name,
            mode: TFTPMode(rawValue: text(mode)),
            options: options(bytes, from: position)
        )
    }

    /// The datagram.
    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 64)
        switch self {
        case .readRequest(let request):
            writer.writeUInt16(1)
            write(request, to: &writer)
        case .writeRequest(let request):
            writer.writeUInt16(2)
            write(request, to: &writer)
        case .data(let block, let payload):
            writer.writeUInt16(3)
            writer.writeUInt16(block)
            writer.writeBytes(payload)
        case .acknowledgement(let block):
            writer.writeUInt16(4)
            writer.writeUInt16(block)
        case .error(let code, let message):
            writer.writeUInt16(5)
            writer.writeUInt16(code.rawValue)
            write(message, to: &writer)
        case .optionAcknowledgement(let options):
            writer.writeUInt16(6)
            write(options, to: &writer)
        }
        return writer.bytes
    }
}

/// The bytes up to the next zero byte, stepping over it; nil when there is none.
private func field(_ bytes: Span<UInt8>, _ position: inout Int) -> [UInt8]? {
    var found: [UInt8] = []
    for index in position..<max(position, bytes.count) {
        if bytes[index] == 0 {
            position = index + 1
            return found
        }
        found.append(bytes[index])
    }
    return nil
}

/// Options to the end of the datagram.
///
/// A last option without a value is dropped: ROMs exist that pad their request.
private func options(_ bytes: Span<UInt8>, from start: Int) -> [TFTPOption] {
    var position = start
    var found: [TFTPOption] = []
    while let name = field(bytes, &position), let value = field(bytes, &position) {
        if !name.isEmpty { found.append(TFTPOption(.init(rawValue: text(name)), text(value))) }
    }
    return found
}

private func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

private func write(_ request: TFTPRequest, to writer: inout ByteWriter) {
    writer.writeBytes(request.fileName)
    writer.writeUInt8(0)
    write(request.mode.rawValue, to: &writer)
    write(request.options, to: &writer)
}

private func write(_ options: [TFTPOption], to writer: inout ByteWriter) {
    for option in options {
        write(option.name.rawValue, to: &writer)
        write(option.value, to: &writer)
    }
}

private func write(_ text: String, to writer: inout ByteWriter) {
    writer.writeText(text)
    writer.writeUInt8(0)
}
