import BootModel
import Synchronization

/// Keeps leases in memory; fails when told to.
final class MemoryLeases: LeaseStore {
    struct DiskFull: Error {}
    private let state = Mutex<(leases: [Lease], commits: Int, fails: Bool)>(([], 0, false))

    func leases() throws -> [Lease] { state.withLock { $0.leases } }

    func commit(_ changes: [LeaseChange]) throws {
        try state.withLock { state in
            if state.fails { throw DiskFull() }
            state.commits += 1
            for change in changes {
                switch change {
                case .set(let lease):
                    state.leases.removeAll { $0.address == lease.address }
                    state.leases.append(lease)
                case .remove(let address): state.leases.removeAll { $0.address == address }
                }
            }
        }
    }

    /// Whether commits fail from now on.
    func setFailing(_ fails: Bool) { state.withLock { $0.fails = fails } }
    var commits: Int { state.withLock { $0.commits } }
}
