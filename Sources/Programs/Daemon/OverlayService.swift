import AdminAPI
import BootModel
import Foundation
import Logging
import NetworkIO
import NetworkTypes
import OverlayFiles
import Synchronization

/// Makes the overlay archive of a boot, and decides who gets it.
///
/// The rule (docs/guides/overlay-files.md): the archive of a boot is for the machine that holds the address which asks,
/// under the identifier of its boot under way, until its kernel has reported; a loader may ask again until then. Where
/// nobody can tell whose an address is, what is secret is left out.
final class OverlayService: Sendable {
    let library: FileSetLibrary
    let boots: BootService
    let identities: Identities
    let peers: PeerDirectory
    let ports: (http: UInt16, nbd: UInt16)
    let last: LastOverlays
    /// The address of a machine by our leases.
    let leaseOf: @Sendable (MACAddress) throws -> IPv4Address?
    let clock: any Clock
    let logger: Logger
    /// How often the archive of a machine's boot was given.
    private let given = Mutex<[MACAddress: (boot: BootIdentifier, count: Int)]>([:])

    /// Loaders ask a few times (sizes, retries); who asks more often is none.
    private static let limit = 32

    init(
        sets: FileSetLibrary,
        boots: BootService,
        identities: Identities,
        peers: PeerDirectory,
        ports: (http: UInt16, nbd: UInt16),
        last: LastOverlays,
        leaseOf: @escaping @Sendable (MACAddress) throws -> IPv4Address?,
        clock: any Clock,
        logger: Logger
    ) {
        library = sets
        self.boots = boots
        self.identities = identities
        self.peers = peers
        self.ports = ports
        self.last = last
        self.leaseOf = leaseOf
        self.clock = clock
        self.logger = logger
    }

    /// The archive for who asks from `address`; nil, and an event, when it is not for that one.
    func archive(of mac: MACAddress, boot id: BootIdentifier, for address: IPv4Address) -> [UInt8]? {
        guard let boot = boots.boot(of: mac), boot.id == id else {
            logger.warning(
                "overlay files of a boot that is not under way were asked for",
                metadata: ["mac": "\(mac)", "peer": "\(address)"]
            )
            return nil
        }
        let holder = peers.mac(of: address)
        guard holder == nil || holder == mac else {
            return refuse(boot, address, "overlay files asked for from \(address), which is another machine's")
        }
        guard boot.progress < .initramfs else {
            return refuse(boot, address, "overlay files asked for again after the kernel had started")
        }
        guard count(mac, id) else {
            return refuse(boot, address, "overlay files asked for more than \(Self.limit) times in one boot")
        }
        do {
            let tree = try tree(of: node(of: boot), mac: mac, address: address, boot: id)
            if holder == nil {
                note(boot, address, "without secrets: nobody knows whose address \(address) is")
            } else {
                try last.keep(tree.files.map { shown($0, boot.node) }, of: boot.node)
            }
            return try tree.archive(withSecrets: holder != nil)
        } catch {
            return refuse(boot, address, "\(error)")
        }
    }

    /// Why a node cannot boot for its overlay files; nil when it can.
    func problem(of node: Node, mac: MACAddress, address: IPv4Address?, boot: BootIdentifier) -> String? {
        do {
            _ = try tree(of: node, mac: mac, address: address, boot: boot).archive(withSecrets: true)
            return nil
        } catch {
            return "\(error)"
        }
    }

    private func node(of boot: Boot) -> Node {
        boots.identify(NodeRequest(mac: boot.mac, stage: .ipxe([]))).node
    }

    private func tree(of node: Node, mac: MACAddress, address: IPv4Address?, boot: BootIdentifier?) throws
        -> OverlayTree
    {
        let fleet = try boots.registry.fleet()
        let asked = NodeRequest(mac: mac, stage: .ipxe([.http, .bzImage, .efi]))
        let settings = fleet.effectiveSettings(for: node, machine: boots.facts(of: asked))
        let network =
            address.flatMap { fleet.network(containing: $0) } ?? fleet.networks.values.min { $0.name < $1.name }
        let image: ImageVersion?
        // What a boot has begun with is what it gets, whatever the fleet says by now.
        if let boot, let begun = boots.boot(boot)?.image {
            image = try boots.catalog.resolve(.version(begun))
        } else {
            image = try boots.image(for: settings, in: fleet)
        }
        let overlayBoot = OverlayBoot(
            node: node,
            settings: settings,
            mac: mac,
            address: address,
            network: network,
            image: image,
            server: try server(address, network),
            boot: boot,
            identity: try identities.identity(of: node.name)
        )
        return try library.tree(for: overlayBoot, sets: settings.files.value.map(\.text))
    }

    /// Under which address the node reaches this server: that of the interface on its network.
    private func server(_ address: IPv4Address?, _ network: Network?) throws -> ServerAddresses? {
        let interfaces = try NetworkInterface.all()
        let interface =
            interfaces.first { $0.name == network?.interface }
            ?? interfaces.first { network?.subnet.contains($0.address) ?? false }
            ?? interfaces.first { $0.name != "lo" }
        return interface.map { ServerAddresses(address: $0.address, httpPort: ports.http, nbdPort: ports.nbd) }
    }

    private func count(_ mac: MACAddress, _ boot: BootIdentifier) -> Bool {
        given.withLock { given in
            var mine = given[mac].flatMap { $0.boot == boot ? $0 : nil } ?? (boot: boot, count: 0)
            mine.count += 1
            // Whoever makes up hardware addresses must not fill the memory.
            if given.count >= 20_000 { given.removeAll() }
            given[mac] = mine
            return mine.count <= Self.limit
        }
    }

    // MARK: Events

    private func refuse(_ boot: Boot, _ address: IPv4Address, _ reason: String) -> [UInt8]? {
        event(boot, .refuse, address, reason)
        return nil
    }

    private func note(_ boot: Boot, _ address: IPv4Address, _ detail: String) { event(boot, .overlay, address, detail) }

    private func event(_ boot: Boot, _ kind: BootEvent.Kind, _ address: IPv4Address, _ detail: String) {
        boots.record(
            BootEvent(
                time: clock.now(),
                boot: boot.id,
                node: boot.node,
                mac: boot.mac,
                kind: kind,
                address: address,
                detail: detail
            ),
            reached: nil
        )
    }

    // MARK: Showing

    /// What an administrator's view of a node makes: no boot is begun or changed.
    func preview(of node: Node) throws -> OverlayTree {
        let boot = node.macs.lazy.compactMap { self.boots.boot(of: $0) }.first
        let mac = boot?.mac ?? node.macs.first ?? MACAddress(value: 0)
        let address = try node.address ?? leaseOf(mac)
        return try tree(of: node, mac: mac, address: address, boot: nil)
    }
}
