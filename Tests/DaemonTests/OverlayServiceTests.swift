import AdminAPI
import BootModel
import BootModelConformance
import CPIO
import Foundation
import Logging
import NetworkTypes
import OverlayFiles
import Synchronization
import Testing

@testable import Daemon

/// Who gets a boot's overlay files, and when no longer.
@Suite struct OverlayServiceTests {
    /// Identities in memory, quickly made.
    private final class Store: IdentityStore {
        let kept = Mutex<[NodeName: NodeIdentity]>([:])
        func identity(of node: NodeName) -> NodeIdentity? {
            kept.withLock { kept in
                if let known = kept[node] { return known }
                let key = NodeIdentity.HostKey(kind: "rsa", privateFile: "PRIVATE KEY", publicLine: "ssh-rsa AAAA")
                let made = NodeIdentity(node: node, seed: [UInt8](repeating: 9, count: 32), hostKeys: [key])
                kept[node] = made
                return made
            }
        }
        func keep(_ identity: NodeIdentity) -> NodeIdentity { identity }
        func forgetIdentity(of node: NodeName) {}
    }

    private struct NoImage: ImageCatalog {
        func versions() -> [ImageVersion] { [] }
        func resolve(_ reference: ImageReference) -> ImageVersion? { nil }
        func newest() -> ImageVersion? { nil }
        func path(of role: ImageFileRole, in version: ImageVersionID) -> String { "/nonexistent" }
    }

    private struct Bench {
        let boots: BootService
        let overlays: OverlayService
        let registry = InMemoryRegistry()
        let folder: String
        let mac = MACAddress(value: 0x5254_0012_3456)
        let own = IPv4Address(10, 0, 0, 71)
        let unknown = IPv4Address(10, 0, 0, 72)
        let others = IPv4Address(10, 0, 0, 73)

        init() throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("overlays-\(UUID())").path
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            boots = try BootService(
                registry: registry,
                catalog: NoImage(),
                log: registry,
                loaders: LoaderFiles(own: "/nonexistent"),
                clock: SystemClock(),
                logger: logger
            )
            overlays = OverlayService(
                sets: FileSetLibrary(directories: [folder + "/files"]),
                boots: boots,
                identities: Identities(Store()),
                peers: PeerDirectory(
                    leaseHolder: { [mac, own, others] address in
                        address == own ? mac : address == others ? MACAddress(value: 1) : nil
                    },
                    neighbourTable: "/nonexistent"
                ),
                ports: (8067, 10809),
                last: LastOverlays(directory: folder + "/last"),
                leaseOf: { _ in nil },
                clock: SystemClock(),
                logger: logger
            )
        }

        /// A boot that has its script.
        func boot() throws -> BootIdentifier {
            reach(.script, .script)
            return try #require(boots.boot(of: mac)).id
        }

        func reach(_ kind: BootEvent.Kind, _ progress: Boot.Progress) {
            boots.record(
                BootEvent(time: Timestamp(seconds: 0), node: NodeName(unknown: mac), mac: mac, kind: kind),
                reached: progress
            )
        }

        /// The words of the refusals on the timeline.
        func refusals() throws -> [String] {
            boots.drain()
            let boot = try #require(boots.boot(of: mac))
            return registry.events(of: boot.id).filter { $0.kind == .refuse }.compactMap(\.detail)
        }
    }

    private func paths(_ archive: [UInt8]?) throws -> [String] {
        let bytes = try #require(archive)
        return try CPIOReader.entries(of: bytes.span).map(\.path)
    }

    private let key = "diskless/overlay/etc/ssh/ssh_host_rsa_key"

    @Test func secretsAreForTheMachineOfTheAddress() throws {
        let bench = try Bench()
        defer { try? FileManager.default.removeItem(atPath: bench.folder) }
        let boot = try bench.boot()
        #expect(try paths(bench.overlays.archive(of: bench.mac, boot: boot, for: bench.own)).contains(key))
        // A loader's honest retry.
        #expect(try paths(bench.overlays.archive(of: bench.mac, boot: boot, for: bench.own)).contains(key))
        #expect(bench.overlays.archive(of: bench.mac, boot: boot, for: bench.others) == nil)
        let open = try paths(bench.overlays.archive(of: bench.mac, boot: boot, for: bench.unknown))
        #expect(!open.contains(key))
        #expect(open.contains(key + ".pub"))
        #expect(bench.overlays.archive(of: bench.mac, boot: BootIdentifier(random: 1, 2), for: bench.own) == nil)
        #expect(try bench.refusals() == ["overlay files asked for from 10.0.0.73, which is another machine's"])
    }

    @Test func onceTheKernelHasReportedNobodyGetsThem() throws {
        let bench = try Bench()
        defer { try? FileManager.default.removeItem(atPath: bench.folder) }
        let boot = try bench.boot()
        bench.reach(.initramfsStarted, .initramfs)
        #expect(bench.overlays.archive(of: bench.mac, boot: boot, for: bench.own) == nil)
        #expect(try bench.refusals() == ["overlay files asked for again after the kernel had started"])
    }

    @Test func askingWithoutEndEnds() throws {
        let bench = try Bench()
        defer { try? FileManager.default.removeItem(atPath: bench.folder) }
        let boot = try bench.boot()
        let sent = (0..<40).filter { _ in bench.overlays.archive(of: bench.mac, boot: boot, for: bench.own) != nil }
        #expect(sent.count == 32)
    }

    @Test func whatPeopleSeeAndWhatIsKeptHoldsNoSecret() throws {
        let bench = try Bench()
        defer { try? FileManager.default.removeItem(atPath: bench.folder) }
        let node = Node(name: NodeName(unknown: bench.mac), macs: [bench.mac])
        #expect(try bench.overlays.files(of: node).last == nil)
        let boot = try bench.boot()
        _ = bench.overlays.archive(of: bench.mac, boot: boot, for: bench.own)
        let shown = try bench.overlays.files(of: node)
        #expect(shown.last == shown.files)
        let file = try #require(shown.files.first { "diskless/overlay/\($0.path)" == key })
        #expect(file.isSecret)
        #expect(file.text == nil)
        let json = String(decoding: try JSONEncoder().encode(shown), as: UTF8.self)
        #expect(!json.contains("PRIVATE KEY"))
        let kept = "\(bench.folder)/last/\(node.name).json"
        #expect(try !String(contentsOfFile: kept, encoding: .utf8).contains("PRIVATE KEY"))
        let attributes = try FileManager.default.attributesOfItem(atPath: kept)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func aBrokenTemplateIsSaidBeforeTheBoot() throws {
        let bench = try Bench()
        defer { try? FileManager.default.removeItem(atPath: bench.folder) }
        let set = bench.folder + "/files/base"
        try FileManager.default.createDirectory(atPath: set, withIntermediateDirectories: true)
        try "{{nobody}}".write(toFile: set + "/motd.mustache", atomically: false, encoding: .utf8)
        let node = Node(name: NodeName(unknown: bench.mac), macs: [bench.mac])
        let problem = bench.overlays.problem(of: node, mac: bench.mac, address: bench.own, boot: try bench.boot())
        #expect(problem == "\(set)/motd.mustache:1: there is no variable \"nobody\"")
    }
}
