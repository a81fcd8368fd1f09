import BootModel
import Foundation
import NetworkTypes
import OverlayFiles
import Testing

/// A boot to make files for.
func sampleBoot(_ name: String = "megane", settings: Settings = Settings(), domain: String? = "lab.example") throws
    -> OverlayBoot
{
    let mac = try #require(MACAddress("52:54:00:12:34:56"))
    let node = Node(name: try NodeName(validating: name), macs: [mac], settings: settings)
    let network = Network(
        name: try NetworkName(validating: "lab"),
        subnet: try #require(IPv4Subnet("10.0.0.0/24")),
        router: IPv4Address("10.0.0.254"),
        nameservers: [try #require(IPv4Address("10.0.0.1"))],
        domain: domain
    )
    return OverlayBoot(
        node: node,
        settings: EffectiveSettings(layers: [(.node, settings)]),
        mac: mac,
        address: IPv4Address("10.0.0.71"),
        network: network,
        image: nil,
        server: ServerAddresses(address: try #require(IPv4Address("10.0.0.1"))),
        boot: nil,
        identity: NodeIdentity(
            node: node.name,
            seed: Array(name.utf8) + [UInt8](repeating: 7, count: 32 - name.utf8.count),
            hostKeys: [
                NodeIdentity.HostKey(
                    kind: "ed25519",
                    privateFile: "PRIVATE of \(name)\n",
                    publicLine: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKk="
                )
            ]
        )
    )
}

/// A directory for one test, removed at its end.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("overlay-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
        let full = "\(path)/\(name)"
        let folder = URL(fileURLWithPath: full).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try text.write(toFile: full, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: full)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension OverlayFile {
    /// A file's content as text.
    var text: String? {
        if case .file(let bytes) = kind { String(decoding: bytes, as: UTF8.self) } else { nil }
    }
}
