import AdminAPI
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

@testable import BlockStorage
@testable import Daemon

/// Who may open what over NBD, and when that ends.
@Suite struct ExportRightsTests {
    private struct OneImage: ImageCatalog {
        let version: ImageVersion
        let root: String
        func versions() -> [ImageVersion] { [version] }
        func resolve(_ reference: ImageReference) -> ImageVersion? { reference == .version(version.id) ? version : nil }
        func newest() -> ImageVersion? { version }
        func path(of role: ImageFileRole, in version: ImageVersionID) -> String { root }
    }

    private final class HandClock: BootModel.Clock {
        let time = Mutex(Timestamp(seconds: 1_800_000_000))
        func now() -> Timestamp { time.withLock { $0 } }
        func advance(_ seconds: Double) { time.withLock { $0 = $0.advanced(bySeconds: seconds) } }
    }

    /// Who holds which address; nobody knows of the others.
    private final class Leases: Sendable {
        private let holders = Mutex<[IPv4Address: MACAddress]>([:])
        func holder(_ address: IPv4Address) -> MACAddress? { holders.withLock { $0[address] } }
        func give(_ address: IPv4Address, to mac: MACAddress) { holders.withLock { $0[address] = mac } }
    }

    private final class Bench: Sendable {
        let state = StateDirectory(NSTemporaryDirectory() + "diskless-rights-" + UUID().uuidString)
        let registry = InMemoryRegistry()
        let clock = HandClock()
        let image: ImageVersionID
        let boots: BootService
        let exports: RootExports
        let trees: TreeExports
        let keeper: NodeStorageKeeper
        let removed: RemovedNodes
        let leases = Leases()
        let (anna, bert) = (NodeName(checked: "anna"), NodeName(checked: "bert"))
        let here = IPv4Address(10, 0, 0, 1)

        init() throws {
            let image = try #require(ImageVersionID("debian@1"))
            self.image = image
            let (state, clock) = (state, clock)
            try FileManager.default.createDirectory(atPath: state.path, withIntermediateDirectories: true)
            let root = state.path + "/image"
            try Data(repeating: 3, count: 64 << 10).write(to: URL(fileURLWithPath: root))
            let version = ImageVersion(
                id: image,
                architecture: "amd64",
                kernelRelease: "6.12",
                rootFormat: .ext4,
                created: Timestamp(seconds: 1),
                files: [:]
            )
            let catalog = OneImage(version: version, root: root)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let boots = try BootService(
                registry: registry,
                catalog: catalog,
                log: registry,
                loaders: LoaderFiles(own: "/nonexistent"),
                grantsDirectory: state.grants,
                clock: clock,
                logger: logger
            )
            self.boots = boots
            let peers = PeerDirectory(leaseHolder: { [leases] in leases.holder($0) }, neighbourTable: "/nonexistent")
            let claims = NodeClaims()
            let exports = try RootExports(
                catalog: catalog,
                layersDirectory: state.layers,
                volumes: VolumeStore(state: state, catalog: catalog, logger: logger),
                claims: claims,
                unflushed: UnflushedWrites(directory: state.unflushed, kernel: "a"),
                boots: boots,
                peers: peers,
                clock: clock,
                logger: logger,
                held: { _, _ in }
            )
            self.exports = exports
            exports.ending { _ in }
            trees = TreeExports(
                grants: boots.grants,
                trees: try TreeStore(state: state, catalog: catalog, logger: logger),
                boots: boots,
                peers: peers,
                clock: clock,
                logger: logger,
                held: { _, _ in }
            )
            keeper = NodeStorageKeeper(
                state: state,
                registry: registry,
                grants: boots.grants,
                trees: nil,
                claims: claims,
                connected: { exports.connectedNodes },
                clock: clock,
                logger: logger
            )
            removed = RemovedNodes(
                grants: boots.grants,
                registry: registry,
                running: { .init(nodes: exports.connectedNodes, machines: exports.connectedMachines) },
                clock: clock,
                logger: logger
            )
            for node in [anna, bert] {
                try registry.update { $0.set(Node(name: node, macs: [mac(node)])) }
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: state.path) }

        func mac(_ node: NodeName) -> MACAddress {
            MACAddress(value: node == anna ? 0x5254_0000_0001 : 0x5254_0000_0002)
        }
        func address(_ node: NodeName) -> IPv4Address { IPv4Address(10, 0, 0, node == anna ? 71 : 72) }

        @discardableResult
        func give(
            _ node: NodeName,
            _ number: UInt64,
            _ writes: RootWrites,
            at address: IPv4Address? = nil,
            volumes: [VolumeGrant] = []
        ) throws -> BootIdentifier {
            let boot = BootIdentifier(random: number, number)
            try boots.grants.give(
                BootGrants(
                    boot: boot,
                    node: node,
                    mac: mac(node),
                    address: address ?? self.address(node),
                    image: image,
                    root: RootChoice(via: .nbd, writes: writes),
                    trees: [],
                    volumes: volumes
                )
            )
            return boot
        }

        /// Gives a boot the image's shared copy.
        func share(_ node: NodeName, _ number: UInt64) throws -> String {
            "shared/\(node)/\(try give(node, number, .shared, volumes: [VolumeGrant(.shared, size: nil)]))"
        }

        func peer(_ address: IPv4Address, _ connection: UInt64 = 1) -> NBDPeer {
            NBDPeer(connection: connection, remote: Endpoint(address, 700), local: Endpoint(here, 10809))
        }

        @discardableResult
        func open(_ name: String, from address: IPv4Address, connection: UInt64? = nil) throws -> NBDExport {
            let export = try exports.open(name, purpose: .transmission, peer: peer(address, connection ?? 1))
            if let connection { exports.connected(name, peer: peer(address, connection)) }
            return export
        }

        func close(_ name: String, from address: IPv4Address, connection: UInt64) {
            exports.disconnected(name, peer: peer(address, connection), traffic: NBDTraffic())
        }
    }

    // MARK: Layers and images

    @Test func aLayerIsForItsMachineAlsoWhenAnotherBootHasBegun() throws {
        let bench = try Bench()
        let boot = try bench.give(bench.anna, 1, .cow)
        let name = "debian@1/anna/\(boot)"
        let stranger = IPv4Address(10, 0, 0, 99)
        // The layer exists, and the tracker knows nothing of the boot, as after a DISCOVER that anybody may send.
        try FileManager.default.createDirectory(
            atPath: "\(bench.state.layers)/anna/\(boot)",
            withIntermediateDirectories: true
        )
        #expect(throws: NBDExportRefusal.self) { try bench.open(name, from: stranger) }
        try bench.open(name, from: bench.address(bench.anna))
        try bench.open(name, from: bench.here)
        for number in 10..<20 { try bench.give(bench.anna, UInt64(number), .cow) }
        try bench.open(name, from: bench.address(bench.anna))
        #expect(throws: NBDExportRefusal.self) { try bench.open(name, from: stranger) }
    }

    @Test func aLayerThatIsUsedEndsTheBootsBefore() throws {
        let bench = try Bench()
        let old = try bench.give(bench.anna, 1, .cow, at: IPv4Address(10, 0, 0, 90))
        let new = try bench.give(bench.anna, 2, .cow)
        let name = "debian@1/anna/\(new)"
        try FileManager.default.createDirectory(
            atPath: "\(bench.state.layers)/anna/\(new)",
            withIntermediateDirectories: true
        )
        _ = try bench.exports.open(name, purpose: .information, peer: bench.peer(bench.address(bench.anna)))
        #expect(bench.boots.grants.grants(of: old, node: bench.anna) != nil, "a look uses nothing")
        try bench.open(name, from: bench.address(bench.anna))
        #expect(bench.boots.grants.grants(of: old, node: bench.anna) == nil)
        #expect(bench.boots.grants.grants(at: IPv4Address(10, 0, 0, 90)).isEmpty)
    }

    @Test func theListShowsWhatCanBeOpened() throws {
        let bench = try Bench()
        try bench.give(bench.anna, 1, .ram)
        func list(_ address: IPv4Address) -> [String] { bench.exports.list(peer: bench.peer(address)).map(\.name) }
        #expect(list(bench.address(bench.anna)) == ["debian@1"])
        #expect(list(bench.here) == ["debian@1"])
        #expect(list(IPv4Address(10, 0, 0, 99)) == [])
    }

    // MARK: One writer

    @Test func theLockOfARemovedNodeEnds() throws {
        let bench = try Bench()
        let (first, second) = (try bench.share(bench.anna, 1), try bench.share(bench.bert, 2))
        let (anna, bert) = (bench.address(bench.anna), bench.address(bench.bert))
        try bench.open(first, from: anna, connection: 1)
        try bench.registry.update { $0.remove(bench.anna) }
        for _ in 0..<3 {
            bench.removed.look()
            bench.clock.advance(100)
        }
        #expect(throws: NBDExportRefusal.self, "it runs on") { try bench.open(second, from: bert) }
        bench.close(first, from: anna, connection: 1)
        bench.removed.look()
        #expect(throws: NBDExportRefusal.self, "it may come back") { try bench.open(second, from: bert) }
        bench.clock.advance(Double(RemovedNodes.silence))
        bench.removed.look()
        try bench.open(second, from: bert)
        #expect(bench.boots.grants.grants(at: anna).isEmpty)
        #expect(throws: NBDExportRefusal.self) { try bench.open(first, from: anna) }
    }

    /// Another name is another node, and the machine runs on.
    @Test func aRunningNodeMayGetAnotherName() throws {
        let bench = try Bench()
        let first = try bench.share(bench.anna, 1)
        try bench.registry.update { fleet in
            fleet.remove(bench.anna)
            fleet.set(Node(name: NodeName(checked: "carl"), macs: [bench.mac(bench.anna)]))
        }
        try bench.open(first, from: bench.address(bench.anna), connection: 1)
        for _ in 0..<3 {
            bench.removed.look()
            bench.clock.advance(100)
        }
        try bench.open(first, from: bench.address(bench.anna), connection: 2)
    }

    @Test func machinesThatNobodyNamedKeepWhatTheyHave() throws {
        let bench = try Bench()
        let unknown = NodeName(unknown: bench.mac(bench.bert))
        let first = try bench.share(unknown, 1)
        bench.removed.look()
        bench.clock.advance(1000)
        bench.removed.look()
        try bench.open(first, from: bench.address(unknown))
    }

    @Test func aResetEndsTheLockOfDeadHardware() throws {
        let bench = try Bench()
        let (first, second) = (try bench.share(bench.anna, 1), try bench.share(bench.bert, 2))
        try bench.open(first, from: bench.address(bench.anna))
        bench.clock.advance(100)
        #expect {
            try bench.open(second, from: bench.address(bench.bert))
        } throws: {
            "\(($0 as? NBDExportRefusal)?.reason ?? "")".contains("diskless node reset anna --root")
        }
        try bench.keeper.reset(bench.anna, .state)
        #expect(throws: NBDExportRefusal.self) { try bench.open(second, from: bench.address(bench.bert)) }
        try bench.keeper.reset(bench.anna, .root)
        try bench.open(second, from: bench.address(bench.bert))
    }

    /// Anybody may ask for a script in a node's name.
    @Test func aScriptThatNobodyFollowsTakesNoLock() throws {
        let bench = try Bench()
        let (first, second) = (try bench.share(bench.anna, 1), try bench.share(bench.bert, 2))
        try bench.open(first, from: bench.address(bench.anna), connection: 1)
        _ = try bench.share(bench.anna, 3)
        #expect(throws: NBDExportRefusal.self) { try bench.open(second, from: bench.address(bench.bert)) }
        bench.close(first, from: bench.address(bench.anna), connection: 1)
        try bench.open(second, from: bench.address(bench.bert))
    }

    // MARK: What was broken

    /// After a disk error every flush of a volume fails, but not those of the file that is there after a reset.
    @Test func aVolumeThatIsMadeAnewIsNotBroken() throws {
        let bench = try Bench()
        let boot = try bench.give(bench.anna, 1, .keep, volumes: [VolumeGrant(.swap, size: 1 << 20)])
        let path = "\(bench.state.nodes)/anna/swap-\(boot)"
        func flush() throws {
            try bench.open("swap/anna/\(boot)", from: bench.address(bench.anna)).storage.flush()
        }
        try flush()
        #expect(throws: BlockError(EIO)) {
            try FlushGate(path).flush { () throws(BlockError) in throw BlockError(EIO) }
        }
        #expect(throws: BlockError(EIO)) { try flush() }
        try FileManager.default.removeItem(atPath: path)
        try flush()
    }

    @Test func aVolumeThatIsPutBackIsNotBroken() throws {
        let bench = try Bench()
        let path = bench.state.volume(of: bench.anna)
        try FileManager.default.createDirectory(atPath: "\(bench.state.nodes)/anna", withIntermediateDirectories: true)
        try Data(repeating: 7, count: 1 << 20).write(to: URL(fileURLWithPath: path))
        bench.clock.advance(100)
        try bench.keeper.snapshot(bench.anna, label: "good")
        #expect(throws: BlockError(EIO)) {
            try FlushGate(path).flush { () throws(BlockError) in throw BlockError(EIO) }
        }
        try bench.keeper.restore(bench.anna, label: "good")
        try FileStorage(path: path, writable: true).flush()
    }

    // MARK: Trees

    /// The node that has the address now runs, not the one that had it once.
    @Test func anAddressThatAnotherNodeHadBefore() throws {
        let address = IPv4Address(10, 0, 0, 80)
        for order in [false, true] {
            let bench = try Bench()
            let (before, now) = order ? (bench.anna, bench.bert) : (bench.bert, bench.anna)
            try bench.give(before, 1, .cow, at: address)
            try bench.give(now, 2, .cow, at: address)
            bench.leases.give(address, to: bench.mac(now))
            bench.trees.connected(Endpoint(address, 900))
            #expect(bench.trees.connectedBoots.map(\.node) == [now])
        }
    }
}
