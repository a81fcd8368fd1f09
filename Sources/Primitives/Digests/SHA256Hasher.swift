internal import COpenSSL

/// SHA-256 over bytes that arrive in pieces, computed by libcrypto (which uses the CPU's SHA instructions).
@safe public struct SHA256Hasher: ~Copyable {
    private let context: OpaquePointer

    /// A hasher that has seen nothing; throws when libcrypto has no memory or offers no SHA-256.
    public init() throws(DigestError) {
        guard let context = unsafe EVP_MD_CTX_new() else { throw .unavailable }
        guard unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            unsafe EVP_MD_CTX_free(context)
            throw .unavailable
        }
        unsafe self.context = context
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
    }

    /// Takes the next bytes in.
    public mutating func update(_ bytes: Span<UInt8>) throws(DigestError) {
        let done = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe EVP_DigestUpdate(context, buffer.baseAddress, buffer.count)
        }
        guard done == 1 else { throw .unavailable }
    }

    /// The digest of everything taken in; the hasher is used up.
    public consuming func finish() throws(DigestError) -> SHA256Digest {
        var bytes = [UInt8](repeating: 0, count: 32)
        let done = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
        }
        guard done == 1, let digest = SHA256Digest(bytes: bytes) else { throw .unavailable }
        return digest
    }
}

/// Why a digest could not be computed.
public enum DigestError: Error, Hashable, Sendable {
    /// libcrypto could not give a SHA-256 context.
    case unavailable
    /// A file could not be opened or read; `code` is the errno.
    case unreadable(path: String, code: Int32)
}
