internal import COpenSSL

/// A key pair as libcrypto makes it, with its numbers as ssh's files hold them.
@safe
struct SSHKeyPair: ~Copyable {
    /// The kinds that every sshd reads and every client since OpenSSH 6.5 knows.
    ///
    /// RSA is none of them: a pair takes half a second of processor time, which a node's first boot would wait for, and
    /// a thousand first boots for each other.
    enum Kind: String, CaseIterable {
        case ed25519, ecdsa
    }

    private let kind: Kind
    private let key: OpaquePointer

    /// A new pair: Ed25519, or ECDSA over the curve P-256, as ssh-keygen makes them.
    init(_ kind: Kind) throws(OverlayProblem) {
        // EVP_PKEY_ED25519 and EVP_PKEY_EC of openssl/evp.h.
        let number: Int32 =
            switch kind {
            case .ed25519: 1087
            case .ecdsa: 408
            }
        guard let context = unsafe EVP_PKEY_CTX_new_id(number, nil) else { throw Self.failed(kind) }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var made: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1 else { throw Self.failed(kind) }
        switch kind {
        case .ed25519: break
        case .ecdsa:
            // NID_X9_62_prime256v1
            guard unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, 415) == 1 else { throw Self.failed(kind) }
        }
        guard unsafe EVP_PKEY_keygen(context, &made) == 1, let made = unsafe made else { throw Self.failed(kind) }
        self.kind = kind
        unsafe key = unsafe made
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// The name of the algorithm on the wire (RFC 8709, RFC 5656).
    var algorithm: String {
        switch kind {
        case .ed25519: "ssh-ed25519"
        case .ecdsa: "ecdsa-sha2-nistp256"
        }
    }

    /// The public key as it goes over the wire.
    func publicBlob() throws(OverlayProblem) -> [UInt8] {
        var blob = SSHEncoder()
        blob.write(text: algorithm)
        switch kind {
        case .ed25519: blob.write(try rawPublic())
        case .ecdsa:
            blob.write(text: "nistp256")
            blob.write(try point())
        }
        return blob.bytes
    }

    /// The private part of the key's file, from the algorithm on (PROTOCOL.key of OpenSSH).
    func privateFields() throws(OverlayProblem) -> [UInt8] {
        var fields = SSHEncoder()
        fields.write(text: algorithm)
        switch kind {
        case .ed25519:
            let open = try rawPublic()
            fields.write(open)
            fields.write(try rawPrivate() + open)
        case .ecdsa:
            fields.write(text: "nistp256")
            fields.write(try point())
            fields.write(number: try number("priv"))
        }
        return fields.bytes
    }

    // MARK: libcrypto

    private func rawPublic() throws(OverlayProblem) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        var length = bytes.count
        guard unsafe EVP_PKEY_get_raw_public_key(key, &bytes, &length) == 1, length == 32 else { throw failed }
        return bytes
    }

    private func rawPrivate() throws(OverlayProblem) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        var length = bytes.count
        guard unsafe EVP_PKEY_get_raw_private_key(key, &bytes, &length) == 1, length == 32 else { throw failed }
        return bytes
    }

    /// The public point, uncompressed (SEC 1, 2.3.3).
    private func point() throws(OverlayProblem) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 133)
        var length = 0
        guard unsafe EVP_PKEY_get_octet_string_param(key, "pub", &bytes, bytes.count, &length) == 1, length == 65,
            bytes[0] == 4
        else { throw failed }
        return Array(bytes[..<65])
    }

    private func number(_ name: String) throws(OverlayProblem) -> [UInt8] {
        var found: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(key, name, &found) == 1, let number = unsafe found else { throw failed }
        defer { unsafe BN_clear_free(number) }
        var bytes = [UInt8](repeating: 0, count: Int(unsafe BN_num_bits(number) + 7) / 8)
        guard unsafe Int(BN_bn2bin(number, &bytes)) == bytes.count else { throw failed }
        return bytes
    }

    private var failed: OverlayProblem { Self.failed(kind) }

    private static func failed(_ kind: Kind) -> OverlayProblem {
        OverlayProblem("libcrypto cannot make a host key (\(kind.rawValue))")
    }
}

/// Writes the data types of ssh (RFC 4251, section 5).
struct SSHEncoder {
    private(set) var bytes: [UInt8] = []

    /// A 32-bit number.
    mutating func write(count: UInt32) {
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: count >> UInt32(shift))) }
    }

    /// A string of bytes.
    mutating func write(_ string: [UInt8]) {
        write(count: UInt32(string.count))
        bytes += string
    }

    /// A string of text.
    mutating func write(text: String) { write(Array(text.utf8)) }

    /// A number that is not negative, most significant byte first (mpint).
    mutating func write(number: [UInt8]) {
        let digits = Array(number.drop { $0 == 0 })
        write((digits.first ?? 0) >= 0x80 ? [0] + digits : digits)
    }

    /// Bytes as they are.
    mutating func append(_ more: [UInt8]) { bytes += more }
}
