public import XDR

/// The port mapper, version 2 (RFC 1833).
///
/// It tells on which port a program is found; nobody registers here.
public struct Portmapper: Sendable {
    /// The number of the program.
    public static let program: UInt32 = 100_000
    /// Its version.
    public static let version: UInt32 = 2
    /// Its own port, TCP and UDP.
    public static let port: UInt16 = 111
    /// Longest call that is looked at, in bytes.
    public static let callLimit = 1024

    /// A transport, by its number as IP has it.
    public struct Transport: RawRepresentable, Hashable, Sendable {
        /// The number.
        public let rawValue: UInt32
        /// From the number.
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// IPPROTO_TCP.
        public static let tcp = Transport(rawValue: 6)
        /// IPPROTO_UDP.
        public static let udp = Transport(rawValue: 17)
    }

    /// Where one version of a program is.
    public struct Entry: Hashable, Sendable {
        /// The program.
        public var program: UInt32
        /// Its version.
        public var version: UInt32
        /// Over what.
        public var transport: Transport
        /// On which port.
        public var port: UInt16

        /// An entry from its parts.
        public init(_ program: UInt32, _ version: UInt32, _ transport: Transport, _ port: UInt16) {
            self.program = program
            self.version = version
            self.transport = transport
            self.port = port
        }
    }

    /// What is known.
    public var entries: [Entry]

    /// A port mapper that knows these.
    public init(_ entries: [Entry]) { self.entries = entries }

    /// Answers one call; false when it is not one, and nothing is to be sent.
    public func answer(_ record: RawSpan, into writer: inout XDRWriter) -> Bool {
        var reader = XDRReader(record)
        let call: RPCCall
        switch RPCAdmission(decoding: &reader, program: Self.program, version: Self.version, into: &writer) {
        case .call(let admitted): call = admitted
        case .answered: return true
        case .ignored: return false
        }
        switch call.procedure {
        case 0: RPCReply.encodeSuccess(xid: call.xid, into: &writer)
        case 1, 2:
            // SET and UNSET: nobody else's programs are told of here.
            RPCReply.encodeSuccess(xid: call.xid, into: &writer)
            writer.write(false)
        case 3:
            guard let port = try? port(&reader) else {
                RPCReply.encodeAccepted(xid: call.xid, status: .garbageArguments, into: &writer)
                return true
            }
            RPCReply.encodeSuccess(xid: call.xid, into: &writer)
            writer.write(UInt32(port))
        case 4:
            RPCReply.encodeSuccess(xid: call.xid, into: &writer)
            for entry in entries {
                writer.write(true)
                for word in [entry.program, entry.version, entry.transport.rawValue, UInt32(entry.port)] {
                    writer.write(word)
                }
            }
            writer.write(false)
        default: RPCReply.encodeAccepted(xid: call.xid, status: .procedureUnavailable, into: &writer)
        }
        return true
    }

    /// GETPORT: 0 for what is not here; another version's port for a version that is not (RFC 1833, section 3.2).
    private func port(_ reader: inout XDRReader) throws(XDRError) -> UInt16 {
        let (program, version) = (try reader.readUInt32(), try reader.readUInt32())
        let transport = Transport(rawValue: try reader.readUInt32())
        let fitting = entries.filter { $0.program == program && $0.transport == transport }
        return (fitting.first { $0.version == version } ?? fitting.first)?.port ?? 0
    }
}
