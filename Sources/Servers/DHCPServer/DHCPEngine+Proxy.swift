import BootModel
import DHCP
import Logging
import Netboot
import NetworkTypes

/// Adding what to boot beside another DHCP server (PXE 2.1 section 2.2.5), and the boot server on port 4011.
extension DHCPEngine {
    /// On port 67 a proxy answers a DISCOVER of a booting machine and nothing else, so that no lease, no renewal and
    /// no refusal of the real server is ever disturbed.
    func proxy(_ exchange: DHCPExchange) -> DHCPOutcome {
        guard exchange.type == .discover, exchange.request.stage != .system else { return DHCPOutcome() }
        return answer(exchange, with: .offer) { $0.proxyOffer($1) }
    }

    /// On port 4011 a REQUEST, or the INFORM of a ROM that showed a menu, is answered to where it came from.
    func bootServer(_ exchange: DHCPExchange) -> DHCPOutcome {
        guard exchange.type == .request || exchange.type == .inform, exchange.request.stage != .system else {
            return DHCPOutcome()
        }
        return answer(exchange, with: .acknowledge) { $0.bootServerAcknowledgement($1) }
    }

    private func answer(
        _ exchange: DHCPExchange,
        with kind: BootEvent.Kind,
        _ make: (DHCPReply, BootFile) -> DHCPMessage
    ) -> DHCPOutcome {
        var outcome = DHCPOutcome(actions: [exchange.arrivalEvent].compactMap { $0 })
        switch plan(exchange, addressing: .foreign) {
        case nil: return outcome
        case .failure(let refusal)?:
            // Silence: an answer without a boot file would end the boot of a machine that others can serve.
            outcome.actions += refused(exchange, refusal)
        case .success(let plan)?:
            guard let file = plan.bootFile else { return outcome }
            outcome.actions.append(exchange.send(make(exchange.reply, file)))
            outcome.actions += [exchange.record(kind, file: file)].compactMap { $0 }
            if case .ipxe = exchange.request.stage { outcome.actions.append(.advertiseNoRouter) }
            let port = exchange.arrival.port == .bootServer ? " on port 4011" : ""
            outcome.actions.append(.log(.info, "offered \(exchange.who) boot file \(file.text)\(port)"))
        }
        return outcome
    }
}
