import BootModel
import NetworkTypes
import Synchronization

/// Tells of clients that asked for what is not theirs: on the timeline of the node that it belongs to, and on the one of
/// the machine that asked.
final class Refusals: Sendable {
    private struct Told: Hashable {
        var address: IPv4Address
        var what: String
    }

    private let boots: BootService
    private let peers: PeerDirectory
    private let clock: any Clock
    private struct State {
        /// When what was told; a client that asks again and again is told of once a minute.
        var told: [Told: Timestamp] = [:]
        /// How many things of an address were told since when.
        var askers: [IPv4Address: (since: Timestamp, count: Int)] = [:]
    }
    private let state = Mutex(State())

    private static let limit = 256
    private static let pauseSeconds = 60
    /// Things of one address that are told in that time: who makes up names fills no timeline.
    private static let thingsPerPause = 8

    init(boots: BootService, peers: PeerDirectory, clock: any Clock) {
        self.boots = boots
        self.peers = peers
        self.clock = clock
    }

    /// Records that `address` did not get `what`, which belongs to the boot `owner` if that is known.
    ///
    /// Texts of clients are made harmless before they come here.
    func record(_ what: String, to address: IPv4Address, owner: BootGrants?, detail: String) {
        let now = clock.now()
        let isNew = state.withLock { state in
            let key = Told(address: address, what: what)
            if let last = state.told[key], now.seconds - last.seconds < Self.pauseSeconds { return false }
            var asker = state.askers[address] ?? (now, 0)
            if now.seconds - asker.since.seconds >= Self.pauseSeconds { asker = (now, 0) }
            guard asker.count < Self.thingsPerPause else { return false }
            asker.count += 1
            if state.told.count >= Self.limit { state.told = [:] }
            if state.askers.count >= Self.limit { state.askers = [:] }
            state.told[key] = now
            state.askers[address] = asker
            return true
        }
        guard isNew else { return }
        let asker = peers.mac(of: address)
        if let owner {
            let who = asker.flatMap { mac in boots.boot(of: mac).map { "node \($0.node) at \(address)" } }
            let text = "\(detail) (asked by \(who ?? "\(address)"))"
            record(what, address, owner.boot, owner.node, owner.mac, text)
        }
        guard let asker, asker != owner?.mac, let boot = boots.boot(of: asker) else { return }
        record(what, address, boot.id, boot.node, asker, detail)
    }

    private func record(
        _ what: String,
        _ address: IPv4Address,
        _ boot: BootIdentifier,
        _ node: NodeName,
        _ mac: MACAddress,
        _ detail: String
    ) {
        let event = BootEvent(
            time: clock.now(),
            boot: boot,
            node: node,
            mac: mac,
            kind: .refuse,
            address: address,
            file: what,
            detail: detail
        )
        boots.record(event, reached: nil)
    }
}
