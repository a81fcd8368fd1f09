import BlockStorage
import BootModel
import BootModelConformance
import CLinux
import Foundation
import Logging
import NBD
import NBDServer
import NFSServer
import NetworkTypes
import Testing

@testable import Daemon

/// A boot script that is asked for and not followed, as `curl` on a running node does, takes nothing from that node.
@Suite(.enabled(if: geteuid() == 0, "needs root")) struct SecondScriptTests {
    /// Two versions of one image whose root files are no file systems.
    private struct TwoImages: ImageCatalog {
        let folder: String
        func versions() -> [ImageVersion] { [] }
        func resolve(_ reference: ImageReference) -> ImageVersion? {
            guard case .version(let id) = reference else { return nil }
            return ImageVersion(
                id: id,
                architecture: "amd64",
                kernelRelease: "6.1",
                rootFormat: .ext4,
                created: Timestamp(seconds: 0),
                files: [:]
            )
        }
        func newest() -> ImageVersion? { nil }
        func path(of role: ImageFileRole, in version: ImageVersionID) -> String { "\(folder)/\(version)" }
    }

    private final class Bench {
        let state: StateDirectory
        let boots: BootService
        let exports: RootExports
        let trees: TreeStore
        let served: TreeExports
        let node = NodeName(checked: "dora")
        let peer = Endpoint(IPv4Address(10, 0, 0, 71), 700)
        let running = BootIdentifier(random: 1, 1)
        let asked = BootIdentifier(random: 2, 2)

        init() throws {
            state = StateDirectory(NSTemporaryDirectory() + "diskless-scripts-" + UUID().uuidString)
            for folder in ["images", "people"] {
                try FileManager.default.createDirectory(
                    atPath: "\(state.path)/\(folder)",
                    withIntermediateDirectories: true
                )
            }
            let catalog = TwoImages(folder: "\(state.path)/images")
            for name in ["debian@1", "debian@2"] {
                try Data(count: 4096).write(to: URL(fileURLWithPath: "\(catalog.folder)/\(name)"))
            }
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let registry = InMemoryRegistry()
            boots = try BootService(
                registry: registry,
                catalog: catalog,
                log: registry,
                loaders: LoaderFiles(own: "/nonexistent"),
                clock: SystemClock(),
                logger: logger
            )
            let peers = PeerDirectory(leaseHolder: { _ in nil }, neighbourTable: "/nonexistent")
            exports = try RootExports(
                catalog: catalog,
                layersDirectory: state.layers,
                volumes: VolumeStore(state: state, catalog: catalog, logger: logger),
                unflushed: UnflushedWrites(directory: state.unflushed, kernel: "a"),
                boots: boots,
                peers: peers,
                clock: SystemClock(),
                logger: logger,
                held: { _, _ in }
            )
            trees = try TreeStore(state: state, catalog: catalog, logger: logger)
            served = TreeExports(
                grants: boots.grants,
                trees: trees,
                boots: boots,
                peers: peers,
                clock: SystemClock(),
                logger: logger,
                held: { _, _ in }
            )
        }

        deinit { try? FileManager.default.removeItem(atPath: state.path) }

        /// What a script that goes out grants.
        func give(_ boot: BootIdentifier, image: String = "debian@1", volumes: [VolumeGrant] = []) throws {
            let image = try #require(ImageVersionID(image))
            try boots.grants.give(
                BootGrants(
                    boot: boot,
                    node: node,
                    mac: MACAddress(value: 0x5254_0012_3456),
                    address: peer.address,
                    image: image,
                    root: RootChoice(via: .nfs, writes: .cow),
                    trees: [
                        TreeGrant(
                            path: "/roots/\(node)/\(boot)",
                            source: .cow(image, node, boot),
                            isWritable: true,
                            isOwn: true
                        ),
                        TreeGrant(path: "/state/\(node)/\(boot)", source: .state(node), isWritable: true, isOwn: true),
                        TreeGrant(
                            path: "/mounts/people",
                            source: .directory("\(state.path)/people"),
                            isWritable: true,
                            isOwn: false
                        ),
                    ],
                    volumes: volumes
                )
            )
        }

        func isUnderWay(_ boot: BootIdentifier) -> Bool { boots.grants.grants(of: boot, node: node) != nil }

        func open(_ name: String, _ purpose: NBDExportPurpose = .transmission) throws {
            let local = Endpoint(IPv4Address(10, 0, 0, 1), 10809)
            _ = try exports.open(name, purpose: purpose, peer: NBDPeer(connection: 1, remote: peer, local: local))
        }
    }

    @Test func aListingOpensNothingAndEndsNothing() throws {
        let bench = try Bench()
        try bench.give(bench.running)
        let layer = "\(bench.state.trees)/dora/\(bench.running)"
        try FileManager.default.createDirectory(atPath: layer, withIntermediateDirectories: true)
        try bench.give(bench.asked, image: "debian@2")
        let paths = bench.served.exports(for: bench.peer).map(\.path)
        #expect(FileManager.default.fileExists(atPath: layer), "what the node that runs has written")
        #expect(
            paths == [
                "/roots/dora/\(bench.asked)", "/state/dora/\(bench.asked)", "/mounts/people",
                "/roots/dora/\(bench.running)", "/state/dora/\(bench.running)",
            ]
        )
        #expect(bench.served.export(at: "/mounts/people", for: bench.peer, opens: false) == nil)
        #expect(bench.served.export(at: "/mounts/people", for: bench.peer, opens: true) != nil)
        #expect(bench.served.export(at: "/mounts/people", for: bench.peer, opens: false) != nil)
        #expect(bench.served.export(at: "/roots/dora/\(bench.asked)", for: bench.peer, opens: false) == nil)
        #expect(FileManager.default.fileExists(atPath: layer))
    }

    @Test func whatBothMayMountSaysNothing() throws {
        let bench = try Bench()
        try bench.give(bench.running)
        try bench.give(bench.asked)
        bench.served.mounted("/mounts/people", by: bench.peer)
        #expect(bench.isUnderWay(bench.running))
        bench.served.mounted("/state/dora/\(bench.running)", by: bench.peer)
        #expect(bench.isUnderWay(bench.running) && bench.isUnderWay(bench.asked))
        bench.served.mounted("/state/dora/\(bench.asked)", by: bench.peer)
        #expect(!bench.isUnderWay(bench.running), "its own path says that it is more than a script")
    }

    @Test func norDoesTheImageOfBoth() throws {
        let bench = try Bench()
        try bench.give(bench.running)
        try bench.give(bench.asked)
        try bench.open("debian@1")
        #expect(bench.isUnderWay(bench.running))
        let next = BootIdentifier(random: 3, 3)
        try bench.give(next, image: "debian@2")
        try bench.open("debian@2", .information)
        #expect(bench.isUnderWay(bench.running), "a look is no use")
        try bench.open("debian@2")
        #expect(!bench.isUnderWay(bench.running), "only the new boot has this image")
        #expect(bench.isUnderWay(next))
    }

    /// Who writes to a shared copy goes on doing so.
    @Test func theOneWriterStays() throws {
        let bench = try Bench()
        let name = "shared/dora/\(bench.running)"
        let folder = "\(bench.state.shared)/debian@1"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(count: 4096).write(to: URL(fileURLWithPath: "\(folder)/root"))
        try bench.give(bench.running, volumes: [VolumeGrant(.shared, size: nil)])
        try bench.open(name)
        let local = Endpoint(IPv4Address(10, 0, 0, 1), 10809)
        bench.exports.connected(name, peer: NBDPeer(connection: 1, remote: bench.peer, local: local))
        try bench.give(bench.asked)
        let other = BootGrants(
            boot: BootIdentifier(random: 4, 4),
            node: NodeName(checked: "boots"),
            mac: MACAddress(value: 0x5254_0012_3457),
            address: bench.peer.address,
            image: try #require(ImageVersionID("debian@1")),
            root: RootChoice(via: .nbd, writes: .shared),
            trees: [],
            volumes: [VolumeGrant(.shared, size: nil)]
        )
        try bench.boots.grants.give(other)
        #expect(throws: NBDExportRefusal.self) { try bench.open("shared/boots/\(other.boot)") }
    }
}
