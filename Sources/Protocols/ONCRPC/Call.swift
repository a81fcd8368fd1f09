public import XDR

/// The head of a remote call (RFC 5531, section 9); the arguments follow it.
public struct RPCCall: Equatable, Sendable {
    /// Longest body of a credential or a verifier, in bytes.
    public static let authLimit = 400
    /// The version of the RPC protocol itself.
    public static let protocolVersion: UInt32 = 2

    /// Chosen by the client, repeated in the reply.
    public var xid: UInt32
    /// Which service.
    public var program: UInt32
    /// Which version of it.
    public var version: UInt32
    /// Which of its procedures.
    public var procedure: UInt32
    /// How the caller says who it is.
    public var flavor: RPCAuthFlavor
    /// Where in the record the body of the credential is.
    public var credential: Range<Int>

    /// Decodes the head; `reader` stands at the arguments afterwards.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(RPCCallError) {
        var heard: UInt32?
        do throws(XDRError) {
            xid = try reader.readUInt32()
            guard try reader.readUInt32() == 0 else { throw XDRError.invalid(offset: 4, value: 1) }
            heard = xid
            guard try reader.readUInt32() == Self.protocolVersion else { throw XDRError.invalid(offset: 8, value: 0) }
            program = try reader.readUInt32()
            version = try reader.readUInt32()
            procedure = try reader.readUInt32()
            flavor = RPCAuthFlavor(rawValue: try reader.readUInt32())
            let start = reader.offset + 4
            let body = try reader.readOpaque(limit: Self.authLimit)
            credential = start..<start + body.byteCount
            _ = try reader.readUInt32()
            _ = try reader.readOpaque(limit: Self.authLimit)
        } catch {
            guard let heard else { throw .noCall }
            switch error {
            case .invalid(offset: 8, _): throw .wrongProtocolVersion(xid: heard)
            default: throw .badAuth(xid: heard)
            }
        }
    }
}

/// A record that is not a call that can be answered with its result.
public enum RPCCallError: Error, Equatable, Sendable {
    /// Not a call at all: nothing can be answered.
    case noCall
    /// Another version of the RPC protocol: RPC_MISMATCH.
    case wrongProtocolVersion(xid: UInt32)
    /// A head that ends early, or a credential or verifier that is too long: AUTH_BADCRED.
    case badAuth(xid: UInt32)
}

/// How a caller is named (RFC 5531, section 8.2).
public struct RPCAuthFlavor: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt32
    /// Any number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Nobody in particular.
    public static let none = RPCAuthFlavor(rawValue: 0)
    /// User and group numbers that the client vouches for.
    public static let sys = RPCAuthFlavor(rawValue: 1)
    /// RPCSEC_GSS.
    public static let gss = RPCAuthFlavor(rawValue: 6)
}
