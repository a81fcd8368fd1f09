package import BootModel
import DHCP
import Logging
package import NetworkTypes

/// An address that is being looked for on the wire, and the DISCOVER that waits for the outcome.
struct AddressSearch: Sendable {
    var arrival: DHCPArrival
    var until: Timestamp
}

/// Looking whether somebody else has an address before it is offered for the first time.
extension DHCPEngine {
    /// For how many seconds an offer waits at most, however many addresses turn out to be taken: firmware asks again
    /// after one second at the earliest (iPXE), UEFI after four.
    package static let probeBudget = 0.1
    /// For how many seconds an address that nobody answered for is not looked for again.
    static let probeMemory = 300.0
    /// How many searches run at once; in a storm further offers leave without one.
    static let probeLimit = 256

    /// Whether the offer of `address` must wait, which it then does.
    mutating func search(for address: IPv4Address, _ exchange: DHCPExchange) -> Bool {
        let arrival = exchange.arrival
        guard exchange.network.terms.probe == .auto, arrival.canProbe, arrival.message.relayAgent.isAny,
            leases.lease(of: address)?.mac != exchange.mac
        else { return false }
        if let seen = probed[address], exchange.now.seconds(since: seen) < Self.probeMemory { return false }
        let until = arrival.probeUntil ?? exchange.now.advanced(bySeconds: Self.probeBudget)
        guard until > exchange.now, searches.count < Self.probeLimit || searches[address] != nil else { return false }
        var waiting = arrival
        waiting.probeUntil = until
        // A repeated question of the same machine replaces the first, and does not begin the wait anew.
        searches[address] = AddressSearch(arrival: waiting, until: searches[address]?.until ?? until)
        return true
    }

    /// When the next search is over; nil when none runs.
    package var nextSearchEnd: Timestamp? { searches.values.map(\.until).min() }

    /// What the searches that are over by now lead to: their offers.
    package mutating func endSearches(now: Timestamp) -> [(arrival: DHCPArrival, outcome: DHCPOutcome)] {
        let over = searches.filter { $0.value.until <= now }
        return over.map { address, search in
            searches[address] = nil
            if probed.count >= 65_536 { probed = [:] }
            probed[address] = now
            return (search.arrival, handle(search.arrival, now: now))
        }
    }

    /// A machine says that it has an address: the offer that waited for it becomes one of another address.
    package mutating func heard(_ mac: MACAddress, has address: IPv4Address, now: Timestamp) -> (
        arrival: DHCPArrival, outcome: DHCPOutcome
    )? {
        guard let search = searches[address], let asking = search.arrival.message.mac, asking != mac,
            let network = fleet.network(containing: address)
        else { return nil }
        searches[address] = nil
        let changes = leases.decline(address, by: asking, on: network.name, now: now)
        var outcome = handle(search.arrival, now: now)
        outcome.changes = changes + outcome.changes
        outcome.actions.insert(
            .log(
                .warning,
                "\(address) of network \(network.name) is in use by \(mac), who was not given it: it is kept out of use"
                    + " for an hour"
            ),
            at: 0
        )
        return (search.arrival, outcome)
    }
}
