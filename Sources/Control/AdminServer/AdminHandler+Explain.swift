import AdminAPI
import BootModel
import FleetFile
import HTTP1
import HTTPServer
import NetworkTypes

extension AdminHandler {
    /// What each request of a machine would get, and why.
    func explain(_ request: HTTPRequest) throws -> HTTPResponse {
        let options = request.head.queryItems
        guard let text = options["mac"], let mac = MACAddress(text) else {
            throw AdminRefusal(
                .badRequest,
                "\"\(options["mac"] ?? "")\" is not a MAC address such as 52:54:00:12:34:56"
            )
        }
        let archText = options["arch"] ?? ClientArchitecture.bios.name
        guard let architecture = ClientArchitecture(archText) else {
            let known = ClientArchitecture.known.map(\.name)
            let mend =
                NearestName.of(archText, among: known).map { "did you mean \($0)?" }
                ?? "known: \(known.joined(separator: ", "))"
            throw AdminRefusal(.badRequest, "\"\(archText)\" is not an architecture; \(mend)")
        }
        return Self.json(.ok, try explanation(mac, architecture))
    }

    private func explanation(_ mac: MACAddress, _ architecture: ClientArchitecture) throws -> Explanation {
        let fleet = try services.registry.fleet()
        let (node, isKnown) = fleet.identify(mac: mac)
        let context = try NodeContext(services, fleet: fleet, only: node)
        let machine = MachineFacts(mac: mac, uuid: node.uuid, architecture: architecture)
        var explanation = Explanation(
            mac: mac,
            node: node.name,
            isKnown: isKnown,
            settings: SettingLine.lines(context.settings(of: node, machine: machine))
        )
        explanation.profiles = context.settings(of: node, machine: machine).profiles.map(\.words)
        let address = node.address ?? context.lease(of: node)?.address
        let networks = services.facts().networks
        let served =
            address.flatMap { wanted in networks.first { $0.network.subnet.contains(wanted) } } ?? networks.first
        explanation.address = address
        let asks = "\(architecture.words) firmware"
        guard let served else {
            let reason = "this server serves no network: name one in the fleet file, or start it with --interface"
            explanation.steps = [Explanation.Step(asks: asks, bootFile: nil, refusal: reason, reasons: [])]
            return explanation
        }
        explanation.network = served.network.name
        if let reason = refusal(served.network, isKnown: isKnown) {
            explanation.steps = [Explanation.Step(asks: asks, bootFile: nil, refusal: reason, reasons: [])]
            return explanation
        }
        let addressing = addressing(served.network, address: address)
        var stages = [Asking(words: asks, stage: architecture.isHTTP ? .firmwareHTTP : .firmware)]
        while !stages.isEmpty {
            let asking = stages.removeFirst()
            var request = NodeRequest(mac: mac, uuid: node.uuid, architecture: architecture, stage: asking.stage)
            request.hasLoader = asking.hasLoader
            switch services.planning.plan(for: request, addressing: addressing, server: served.server) {
            case .success(let plan):
                let last = explanation.steps.last
                if asking.isOther, last?.refusal == nil, last?.bootFile == plan.bootFile?.text { continue }
                explanation.steps.append(
                    Explanation.Step(
                        asks: asking.words,
                        bootFile: plan.bootFile?.text,
                        refusal: nil,
                        reasons: plan.reasons
                    )
                )
                if asking.isFirmware { stages = Self.stages(after: plan, architecture) }
                explanation.image = plan.image
                explanation.root = plan.root.url
                explanation.kernelArguments = plan.kernelArguments
                explanation.script = plan.script
            case .failure(let refusal):
                if asking.isOther, explanation.steps.last?.refusal == refusal.reason { continue }
                explanation.steps.append(
                    Explanation.Step(asks: asking.words, bootFile: nil, refusal: refusal.reason, reasons: [])
                )
                // What the firmware lacks, a card may bring along.
                if asking.isFirmware, !architecture.isHTTP { stages = [.cardsOwn] }
            }
        }
        return explanation
    }

    /// One request of a boot.
    private struct Asking {
        /// Who asks.
        var words: String
        var stage: BootStage
        /// Whether what asks was sent by us.
        var hasLoader = false
        /// Whether it is another road than that of the requests before, shown only where it leads elsewhere.
        var isOther = false

        var isFirmware: Bool { stage == .firmware || stage == .firmwareHTTP }

        /// The iPXE that is a network card's own firmware; virtual machines have it, and cards that were flashed.
        static let cardsOwn = Asking(words: "a card's own iPXE", stage: ipxe, isOther: true)
        static let ipxe = BootStage.ipxe([.http, .bzImage, .efi])
    }

    /// Who asks after the firmware: the loader that it was given, and the iPXE that the card's ROM may be.
    private static func stages(after plan: BootPlan, _ architecture: ClientArchitecture) -> [Asking] {
        guard let program = plan.program else { return [] }
        let others: [Asking] = architecture.isHTTP ? [] : [.cardsOwn]
        switch program {
        case .ipxe: return [Asking(words: "iPXE", stage: Asking.ipxe, hasLoader: true)] + others
        case .grub, .shim, .pxelinux: return [Asking(words: program.words, stage: .loader(program))] + others
        case .image, .uboot, .raspberryPi: return [Asking(words: program.words, stage: .loader(program))]
        }
    }

    private func refusal(_ network: Network, isKnown: Bool) -> String? {
        if network.dhcp == .off { return "DHCP is off on network \(network.name) (dhcp: off)" }
        guard !isKnown else { return nil }
        switch network.unknownNodes {
        case .boot: return nil
        case .addressOnly:
            return "nobody has named this machine, and network \(network.name) gives such only an address"
                + " (unknown-nodes: address-only)"
        case .ignore:
            return "nobody has named this machine, and network \(network.name) ignores such (unknown-nodes: ignore)"
        }
    }

    /// What its kernel would be told; the first address of the pool stands for one that is not chosen yet.
    private func addressing(_ network: Network, address: IPv4Address?) -> NodeAddressing {
        guard network.dhcp == .full else { return .foreign }
        return .leased(
            address: address ?? network.pools.first?.first ?? network.subnet.address,
            subnet: network.subnet,
            router: network.router,
            nameservers: network.nameservers
        )
    }
}
