import AdminAPI
import ArgumentParser
import BootModel
import CLinux
import NetworkTypes

/// `diskless leases`: which address belongs to whom until when.
struct Leases: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the addresses that were given out.")

    @OptionGroup var json: JSONFlag
    @OptionGroup var server: ServerOption

    func run() throws {
        let leases = try server.client.leases()
        if json.isOn { return try Output.json(leases) }
        if leases.isEmpty { return Output.note("no address has been given out yet") }
        let now = Timestamp(seconds: Int64(time(nil)))
        let rows = leases.map { lease in
            [
                lease.address.description, lease.mac.description, lease.hostname ?? "", lease.network.text,
                lease.expires < now ? "expired" : lease.state.rawValue, LocalTime.full(lease.expires),
            ]
        }
        Output.table(["ADDRESS", "MAC", "NAME", "NETWORK", "STATE", "EXPIRES"], rows)
    }
}
