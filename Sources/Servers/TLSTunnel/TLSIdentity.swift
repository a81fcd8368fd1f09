import CLinux
import COpenSSL

/// Who this server is to TLS clients, and whose certificates they must show.
@safe public final class TLSIdentity: Sendable {
    /// Makes connections; the library counts its uses under a lock of its own, and it is not changed after `init`.
    nonisolated(unsafe) let context: OpaquePointer

    /// Reads PEM files: the certificate with its chain, its private key, and, where clients must prove who they are, the
    /// certificates of the authority that signs theirs.
    ///
    /// TLS 1.2 and later; no session is resumed. Throws `TLSError` with the file that cannot be used.
    public init(certificate: String, key: String, clientAuthority: String? = nil) throws(TLSError) {
        ERR_clear_error()
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { throw TLSError("TLS cannot be used") }
        unsafe self.context = context
        unsafe SSL_CTX_ctrl(context, CInt(COPENSSL_CTRL_MIN_PROTO_VERSION), COPENSSL_TLS1_2, nil)
        // Partial writes from a buffer that may move: the tunnel writes what there is and goes on with the rest.
        let mode = COPENSSL_MODE_PARTIAL_WRITE_MOVING_BUFFER
        unsafe SSL_CTX_ctrl(context, CInt(COPENSSL_CTRL_MODE), mode, nil)
        unsafe SSL_CTX_ctrl(context, CInt(COPENSSL_CTRL_SESSION_CACHE_MODE), 0, nil)
        unsafe SSL_CTX_set_num_tickets(context, 0)
        guard unsafe SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw TLSError("the certificate \(certificate) cannot be used")
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(context, key, CInt(COPENSSL_PEM)) == 1 else {
            throw TLSError("the private key \(key) cannot be used with the certificate \(certificate)")
        }
        guard let clientAuthority else { return }
        guard unsafe SSL_CTX_load_verify_locations(context, clientAuthority, nil) == 1 else {
            throw TLSError("the certificates of \(clientAuthority) cannot be used")
        }
        unsafe SSL_CTX_set_verify(context, CInt(COPENSSL_VERIFY_PEER_OR_FAIL), nil)
    }

    deinit { unsafe SSL_CTX_free(context) }
}

/// TLS cannot be used, or a client does not speak it as it must.
public struct TLSError: Error, Sendable, CustomStringConvertible {
    /// What failed, and the library's reason.
    public let description: String

    /// `what`, with the oldest error that the library noted on this thread.
    init(_ what: String) {
        let code = ERR_get_error()
        guard code != 0 else {
            description = what
            return
        }
        var text = [CChar](repeating: 0, count: 256)
        unsafe ERR_error_string_n(code, &text, text.count)
        let reason = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        description = "\(what): \(String(decoding: reason, as: UTF8.self))"
    }
}
