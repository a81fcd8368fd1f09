public import XDR

/// What a server of one version of one program does with a record.
public enum RPCAdmission {
    /// A call for it: its arguments follow in the reader.
    case call(RPCCall)
    /// The reply is written: a call for something else, or one that cannot be (RFC 5531, section 9).
    case answered
    /// Not a call: nothing is sent.
    case ignored

    /// Decodes the head of a call for `version` of `program`, and answers every other call.
    public init(
        decoding reader: inout XDRReader,
        program: UInt32,
        version: UInt32,
        into writer: inout XDRWriter
    ) {
        let call: RPCCall
        do throws(RPCCallError) { call = try RPCCall(decoding: &reader) } catch {
            switch error {
            case .noCall:
                self = .ignored
                return
            case .wrongProtocolVersion(let xid): RPCReply.encodeProtocolMismatch(xid: xid, into: &writer)
            case .badAuth(let xid): RPCReply.encodeAuthError(xid: xid, .badCredential, into: &writer)
            }
            self = .answered
            return
        }
        if call.program != program {
            RPCReply.encodeAccepted(xid: call.xid, status: .programUnavailable, into: &writer)
            self = .answered
        } else if call.version != version {
            RPCReply.encodeVersionMismatch(xid: call.xid, version...version, into: &writer)
            self = .answered
        } else {
            self = .call(call)
        }
    }
}
