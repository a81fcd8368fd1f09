import BootModel
import DNS
import Digests
import Foundation

/// The host keys of nodes as SSHFP records (RFC 4255): SHA-256 of each, as `ssh -o VerifyHostKeyDNS=yes` looks for them.
enum HostKeyRecords {
    /// Those of a node; none before it was given its identity.
    static func of(_ node: NodeName, in store: any IdentityStore) -> [HostKeyFingerprint] {
        guard let identity = try? store.identity(of: node) else { return [] }
        return identity.hostKeys.compactMap { fingerprint($0.publicLine) }
    }

    /// From a public key's line: `ssh-ed25519 AAAA… comment`.
    static func fingerprint(_ line: String) -> HostKeyFingerprint? {
        let words = line.split(separator: " ")
        guard words.count >= 2, let algorithm = algorithm(words[0]), let key = Data(base64Encoded: String(words[1])),
            var hasher = try? SHA256Hasher()
        else { return nil }
        try? hasher.update(Array(key).span)
        guard let digest = try? hasher.finish() else { return nil }
        return HostKeyFingerprint(algorithm: algorithm, digestType: 2, digest: digest.bytes)
    }

    private static func algorithm(_ kind: Substring) -> UInt8? {
        switch kind {
        case "ssh-rsa": 1
        case "ssh-ed25519": 4
        default: kind.hasPrefix("ecdsa-sha2-") ? 3 : nil
        }
    }
}
