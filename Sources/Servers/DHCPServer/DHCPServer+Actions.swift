import BootModel
import DHCP
import Logging
import NeighborDiscovery
import NetworkIO
import NetworkTypes
import Synchronization

/// Doing what the engine decided; called from the thread that receives and from the one that keeps leases.
extension DHCPServer {
    func perform(_ action: DHCPAction, link: Int) {
        switch action {
        case .send(let outgoing): send(outgoing, link: links[link])
        case .record(let event, let progress): ports.recorder.record(event, reached: progress)
        case .log(let level, let line): log.log(level: level, "\(line)")
        case .probe(let address): probe(address, link: links[link])
        case .advertiseNoRouter: advertiseNoRouter(link: link)
        }
    }

    private func probe(_ address: IPv4Address, link: DHCPLink) {
        do {
            try link.watch?.probe(address)
        } catch {
            // The offer leaves at the end of its budget, as if nobody had answered.
            log.debug("\(error)")
        }
    }

    private func send(_ outgoing: DHCPOutgoing, link: DHCPLink) {
        let encoded = outgoing.message.encodeReply(limit: outgoing.limit)
        if !encoded.omitted.isEmpty {
            log.debug(
                "no room for option \(encoded.omitted.map(\.description).joined(separator: ", ")) in \(outgoing.limit) bytes"
            )
        }
        var destination = outgoing.destination
        if case .newClient(let address, let mac) = destination {
            do {
                try NeighborEntry.set(address, at: mac, interface: link.interface, through: link.dhcp)
            } catch {
                // Legal, and every known ROM takes it.
                log.debug("\(error): broadcasting instead")
                destination = .broadcast
            }
        }
        let socket = if case .sender = destination { link.bootServer } else { link.dhcp }
        do {
            try socket.send(encoded.bytes.span, to: destination.endpoint, from: outgoing.server)
        } catch {
            log.warning("DHCP reply to \(destination) on \(link.interface) was not sent: \(error)")
        }
    }

    /// Says that there is no router, unless one was heard within the half hour that RFC 4861 lets them keep silent.
    func advertiseNoRouter(link: Int) {
        guard let router = links[link].router else { return }
        if let heard = routerHeard.withLock({ $0[link] }), ports.clock.now().seconds(since: heard) < 1800 { return }
        do {
            try router.sendToAllNodes(RouterAdvertisement.empty.encode())
        } catch {
            log.debug("\(error)")
        }
    }
}
