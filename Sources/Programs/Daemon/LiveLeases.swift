import BootModel
import NetworkTypes

/// The leases as the running DHCP server knows them: a renewal that needed no write is in its memory alone.
struct LiveLeases: LeaseStore {
    let store: any LeaseStore
    let dhcp: DHCPService

    func leases() throws -> [Lease] {
        guard let live = dhcp.leases else { return try store.leases() }
        return live.sorted { $0.address < $1.address }
    }

    func commit(_ changes: [LeaseChange]) throws { try store.commit(changes) }
}
