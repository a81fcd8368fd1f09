import AdminAPI
import BootModel
import FleetFile

extension AdminClient {
    /// The fleet as the running server has it.
    func fleet() throws -> Fleet {
        var fleet = Fleet()
        _ = try FleetDocument(parsing: fleetFile()).apply(to: &fleet, prune: false)
        return fleet
    }
}
