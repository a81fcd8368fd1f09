public import BootModel
import Digests
import Foundation

/// Makes identities, and derives from one what a node shows of itself.
public enum IdentityMaker {
    /// A new identity with keys that nobody has had before.
    ///
    /// Throws `OverlayProblem` when libcrypto cannot make them.
    public static func make(for node: NodeName) throws(OverlayProblem) -> NodeIdentity {
        var generator = SystemRandomNumberGenerator()
        let seed = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        var keys: [NodeIdentity.HostKey] = []
        for kind in SSHKeyPair.Kind.allCases {
            let pair = try SSHKeyPair(kind)
            let blob = try pair.publicBlob()
            keys.append(
                NodeIdentity.HostKey(
                    kind: kind.rawValue,
                    privateFile: try privateFile(pair, blob, comment: "root@\(node)", check: generator.next()),
                    publicLine: "\(pair.algorithm) \(Data(blob).base64EncodedString())"
                )
            )
        }
        return NodeIdentity(node: node, seed: seed, hostKeys: keys)
    }

    /// A key file as ssh-keygen writes it, without a passphrase (PROTOCOL.key of OpenSSH).
    private static func privateFile(
        _ pair: borrowing SSHKeyPair,
        _ blob: [UInt8],
        comment: String,
        check: UInt32
    ) throws(OverlayProblem) -> String {
        var secret = SSHEncoder()
        secret.write(count: check)
        secret.write(count: check)
        secret.append(try pair.privateFields())
        secret.write(text: comment)
        var padding: UInt8 = 1
        while !secret.bytes.count.isMultiple(of: 8) {
            secret.append([padding])
            padding += 1
        }
        var file = SSHEncoder()
        file.append(Array("openssh-key-v1".utf8) + [0])
        file.write(text: "none")
        file.write(text: "none")
        file.write(text: "")
        file.write(count: 1)
        file.write(blob)
        file.write(secret.bytes)
        var lines = "-----BEGIN OPENSSH PRIVATE KEY-----\n"
        var rest = Substring(Data(file.bytes).base64EncodedString())
        while !rest.isEmpty {
            lines += rest.prefix(70) + "\n"
            rest = rest.dropFirst(70)
        }
        return lines + "-----END OPENSSH PRIVATE KEY-----\n"
    }
}

extension NodeIdentity {
    /// 16 bytes for one purpose, the same at each boot; nobody learns the seed from them.
    private func derived(_ purpose: String) -> [UInt8] {
        let bytes = Array("diskless \(purpose)\n".utf8) + seed
        guard let digest = try? SHA256Digest.of(bytes.span) else { return Array(seed.prefix(16)) }
        return Array(digest.bytes.prefix(16))
    }

    /// A random UUID's layout (RFC 9562, version 4), which machine-id(5) asks for.
    private func uuidBytes(_ purpose: String) -> [UInt8] {
        var bytes = derived(purpose)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        return bytes
    }

    /// What `/etc/machine-id` says: 32 hexadecimal digits.
    public var machineID: String { Self.hex(uuidBytes("machine-id")) }

    /// The UUID in the node's DHCP unique identifier (RFC 6355): 16 bytes in hexadecimal.
    public var dhcpUUID: String { Self.hex(uuidBytes("dhcp-duid")) }

    /// SSHFP records (RFC 4255, RFC 6594, RFC 7479) under `name`, digests by SHA-256.
    public func sshfpRecords(name: String) -> [String] {
        let algorithms = ["rsa": 1, "ecdsa": 3, "ed25519": 4]
        return hostKeys.compactMap { key in
            let parts = key.publicLine.split(separator: " ")
            guard let algorithm = algorithms[key.kind], parts.count > 1,
                let blob = Data(base64Encoded: String(parts[1])),
                let digest = try? SHA256Digest.of(Array(blob).span)
            else { return nil }
            return "\(name). IN SSHFP \(algorithm) 2 \(Self.hex(digest.bytes))"
        }
    }

    /// Lines for a known_hosts file, for a node that is reached under `names`.
    public func knownHosts(names: [String]) -> [String] {
        hostKeys.map { "\(names.joined(separator: ",")) \($0.publicLine)" }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
