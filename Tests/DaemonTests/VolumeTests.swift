import AdminAPI
import BlockStorage
import BootModel
import BootModelConformance
import CLinux
import Foundation
import Logging
import NBD
import NBDServer
import NetworkTypes
import Synchronization
import Testing

@testable import Daemon

/// Volumes of nodes: when they grow, and whose sessions end for it.
@Suite struct VolumeTests {
    private struct NoImage: ImageCatalog {
        func versions() -> [ImageVersion] { [] }
        func resolve(_ reference: ImageReference) -> ImageVersion? { nil }
        func newest() -> ImageVersion? { nil }
        func path(of role: ImageFileRole, in version: ImageVersionID) -> String { "/nonexistent" }
    }

    private final class Bench: Sendable {
        let state: StateDirectory
        let registry = InMemoryRegistry()
        let boots: BootService
        let volumes: VolumeStore
        let exports: RootExports
        let claims = NodeClaims()
        /// The keys of the sessions that were ended.
        let ended = Mutex<[String]>([])
        let node = NodeName(checked: "dora")
        let mac = MACAddress(value: 0x5254_0012_3456)
        let address = IPv4Address(10, 0, 0, 71)
        let boot = BootIdentifier(random: 7, 8)
        /// The name under which an initramfs opens it that lets it grow.
        let growing: String

        init(granted: Int64 = 1 << 20) throws {
            state = StateDirectory(NSTemporaryDirectory() + "diskless-volumes-" + UUID().uuidString)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            volumes = VolumeStore(state: state, catalog: NoImage(), logger: logger)
            boots = try BootService(
                registry: registry,
                catalog: NoImage(),
                log: registry,
                loaders: LoaderFiles(own: "/nonexistent"),
                clock: SystemClock(),
                logger: logger
            )
            exports = try RootExports(
                catalog: NoImage(),
                layersDirectory: state.layers,
                volumes: volumes,
                claims: claims,
                unflushed: UnflushedWrites(directory: state.unflushed, kernel: "a"),
                boots: boots,
                peers: PeerDirectory(leaseHolder: { _ in nil }, neighbourTable: "/nonexistent"),
                clock: SystemClock(),
                logger: logger,
                held: { _, _ in }
            )
            growing = "volume/\(node)/\(boot)/growing"
            exports.ending { [weak self] key in self?.ended.withLock { $0.append(key) } }
            try boots.grants.give(
                BootGrants(
                    boot: boot,
                    node: node,
                    mac: mac,
                    address: address,
                    image: try #require(ImageVersionID("debian@1")),
                    root: RootChoice(via: .nbd, writes: .keep),
                    trees: [],
                    volumes: [VolumeGrant(.volume, size: granted)]
                )
            )
            try set("1M")
            // Made before, so that no test needs mkfs.
            try FileManager.default.createDirectory(atPath: "\(state.nodes)/\(node)", withIntermediateDirectories: true)
            try Data(repeating: 7, count: 1 << 20).write(to: URL(fileURLWithPath: state.volume(of: node)))
        }

        deinit { try? FileManager.default.removeItem(atPath: state.path) }

        /// Gives the node another `volume`.
        func set(_ size: String, writes: RootWrites = .keep) throws {
            try registry.update { fleet in
                var settings = Settings()
                settings.writes = writes
                settings.volume = ByteCount(size)
                fleet.set(Node(name: node, macs: [mac], settings: settings))
            }
        }

        func open(_ name: String, connection: UInt64 = 1, purpose: NBDExportPurpose = .transmission) throws -> UInt64 {
            let peer = peer(connection)
            let size = try exports.open(name, purpose: purpose, peer: peer).storage.size
            if purpose == .transmission { exports.connected(name, peer: peer) }
            return size
        }

        func peer(_ connection: UInt64) -> NBDPeer {
            NBDPeer(
                connection: connection,
                remote: Endpoint(address, 700),
                local: Endpoint(IPv4Address(10, 0, 0, 1), 10809)
            )
        }

        var size: Int? { try? FileManager.default.attributesOfItem(atPath: state.volume(of: node))[.size] as? Int }
    }

    @Test func growsWhenItsNodeDialsAgain() throws {
        let bench = try Bench()
        #expect(try bench.open(bench.growing) == 1 << 20)
        bench.exports.growVolumes()
        #expect(bench.ended.withLock { $0 } == [], "nothing to do")
        try bench.set("3M")
        bench.exports.growVolumes()
        #expect(bench.ended.withLock { $0 } == ["volume/dora"])
        #expect(bench.size == 1 << 20, "not before its node dials again")
        bench.exports.disconnected(bench.growing, peer: bench.peer(1), traffic: NBDTraffic())
        #expect(try bench.open(bench.growing, connection: 2) == 3 << 20)
        #expect(bench.size == 3 << 20)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: bench.state.volume(of: bench.node)))
        #expect(bytes.prefix(1 << 20) == Data(repeating: 7, count: 1 << 20), "what was written stays")
        bench.ended.withLock { $0 = [] }
        bench.exports.growVolumes()
        #expect(bench.ended.withLock { $0 } == [], "once is enough")
    }

    /// An initramfs of before would wait for the old size for ever.
    @Test func aNodeThatCannotFollowKeepsItsSize() throws {
        let bench = try Bench()
        let old = "volume/dora/\(bench.boot)"
        #expect(try bench.open(old) == 1 << 20)
        try bench.set("3M")
        bench.exports.growVolumes()
        #expect(bench.ended.withLock { $0 } == [])
        #expect(try bench.open(old, connection: 2) == 1 << 20)
    }

    @Test func growsWithTheNextBoot() throws {
        let bench = try Bench(granted: 2 << 20)
        #expect(try bench.open("volume/dora/\(bench.boot)", purpose: .information) == 1 << 20)
        #expect(bench.size == 1 << 20, "a look makes nothing")
        #expect(try bench.open("volume/dora/\(bench.boot)") == 2 << 20)
        #expect(bench.ended.withLock { $0 } == ["volume/dora"], "an older boot's session is over first")
    }

    @Test func aLookMakesNothing() throws {
        let bench = try Bench()
        try FileManager.default.removeItem(atPath: bench.state.volume(of: bench.node))
        #expect(throws: NBDExportRefusal.self) { try bench.open(bench.growing, purpose: .information) }
        #expect(bench.size == nil)
    }

    @Test(arguments: ["512K", "1M"]) func neverShrinks(size: String) throws {
        let bench = try Bench()
        #expect(try bench.open(bench.growing) == 1 << 20)
        try bench.set(size)
        bench.exports.growVolumes()
        #expect(bench.ended.withLock { $0 } == [])
        #expect(try bench.open(bench.growing, connection: 2) == 1 << 20)
    }

    /// A fleet that says nothing of a volume any more makes none larger, least of all to the usual size.
    @Test func whatTheFleetForgotStays() throws {
        let bench = try Bench()
        #expect(try bench.open(bench.growing) == 1 << 20)
        try bench.set("3M", writes: .ram)
        bench.exports.growVolumes()
        try bench.registry.update { $0.remove(bench.node) }
        bench.exports.growVolumes()
        #expect(bench.ended.withLock { $0 } == [])
        #expect(try bench.open(bench.growing, connection: 2) == 1 << 20)
    }

    @Test func whatCannotGrowIsServedAsItIs() throws {
        let bench = try Bench()
        let path = bench.state.volume(of: bench.node)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/null")
        try bench.set("3M")
        #expect(try bench.open(bench.growing) == 0)
    }

    /// A node that boots while its volume is put back would write to a file that is removed then.
    @Test func nobodyOpensWhatIsPutBack() throws {
        let bench = try Bench()
        let layer = "debian@1/dora/\(bench.boot)"
        try bench.claims.whileUnused(bench.node, for: "restore") {
            for name in [bench.growing, layer] {
                let refusal = #expect(throws: NBDExportRefusal.self) { try bench.open(name) }
                #expect(refusal?.reason.contains("a restore of node dora is under way") == true, "\(name)")
                #expect(refusal?.code == .shuttingDown, "its initramfs tries again")
            }
        }
        bench.boots.drain()
        let told = bench.registry.events(of: bench.boot).filter { $0.kind == .refuse }
        #expect(told.contains { $0.detail?.contains("a restore of node dora is under way") == true })
        var session: NBDExport? = try bench.exports.open(
            bench.growing,
            purpose: .transmission,
            peer: bench.peer(1)
        )
        #expect(throws: SetupError.self) { try bench.claims.whileUnused(bench.node, for: "restore") {} }
        withExtendedLifetime(session) {}
        session = nil
        try bench.claims.whileUnused(bench.node, for: "restore") {}
    }

    @Test func namesOnTheWire() throws {
        let boot = BootIdentifier(random: 7, 8)
        let name = try #require(VolumeName("volume/dora/\(boot)/growing"))
        #expect(name.isGrowing)
        #expect(name.description == "volume/dora/\(boot)/growing")
        #expect(VolumeName("volume/dora/\(boot)")?.isGrowing == false)
        for text in [
            "swap/dora/\(boot)/growing", "volume/dora/\(boot)/", "volume/dora/\(boot)/growing/", "volume/dora",
        ] {
            #expect(VolumeName(text) == nil, "\(text)")
        }
    }
}
