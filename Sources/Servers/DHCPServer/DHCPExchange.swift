import BootModel
import DHCP
import Netboot
import NetworkTypes

/// One message with all that was found out about it.
struct DHCPExchange: Sendable {
    var arrival: DHCPArrival
    var type: DHCPMessageType
    var request: NodeRequest
    var node: Node
    var isKnown: Bool
    var network: Network
    /// Further networks on the same wire.
    var others: [Network]
    /// Further options it is handed.
    var options: [DHCPOptionSetting]
    /// Whether it gets more than an address.
    var mayBoot: Bool
    /// Our address on that network.
    var server: IPv4Address
    var now: Timestamp

    var message: DHCPMessage { arrival.message }
    var mac: MACAddress { request.mac }
    /// The relay wants to be taken for the server (RFC 5107).
    var serverOverride: IPv4Address? {
        guard !message.relayAgent.isAny else { return nil }
        return ((try? message.relayAgentInformation()) ?? nil)?.serverIdentifierOverride
    }
    var reply: DHCPReply { DHCPReply(to: message, from: request, server: server) }

    /// Who speaks, for a line: "megane (52:54:00:12:34:56, x86 BIOS iPXE)".
    var who: String {
        let kind = request.stage == .system ? request.vendorClass.map { printable($0) } ?? "operating system" : words
        return isKnown ? "\(node.name) (\(mac), \(kind))" : "\(mac) (\(kind))"
    }

    /// The machine and its program: "x86-64 UEFI HTTP firmware".
    private var words: String {
        guard let architecture = request.architecture else { return request.stage.words }
        return "\(architecture.words) \(request.stage == .firmwareHTTP ? "firmware" : request.stage.words)"
    }

    /// What comes from the network must not end a log line or move a terminal's cursor.
    private func printable(_ text: String) -> String { text.printable }

    /// A reply as an action.
    func send(_ message: DHCPMessage) -> DHCPAction {
        let destination: DHCPReplyDestination =
            arrival.port == .bootServer
            ? .sender(arrival.peer) : DHCPReplyDestination(of: message, to: arrival.message)
        return .send(
            DHCPOutgoing(
                message: message,
                destination: destination,
                limit: arrival.message.payloadLimit,
                server: server
            )
        )
    }

    /// An event of this boot; nil for an operating system, whose DHCP is no part of a boot.
    func record(
        _ kind: BootEvent.Kind,
        address: IPv4Address? = nil,
        file: BootFile? = nil,
        detail: String? = nil,
        reached: Boot.Progress? = nil
    ) -> DHCPAction? {
        guard request.stage != .system else { return nil }
        let event = BootEvent(
            time: now,
            node: node.name,
            mac: mac,
            kind: kind,
            address: address,
            file: file?.text,
            detail: detail
        )
        return .record(event, reached: reached)
    }

    /// The event of this very message's arrival.
    var arrivalEvent: DHCPAction? {
        switch type {
        case .discover: return record(.discover, detail: words, reached: reached)
        case .request: return record(.request, address: wanted)
        default: return nil
        }
    }

    private var reached: Boot.Progress? {
        switch request.stage {
        case .firmware, .firmwareHTTP: .firmware
        case .ipxe, .loader: .loaderRuns
        case .system: nil
        }
    }

    /// The address this message is about: option 50, else the one the client has.
    var wanted: IPv4Address? {
        let asked = (try? message.requestedAddress()) ?? nil
        return asked ?? (message.clientAddress.isAny ? nil : message.clientAddress)
    }

    /// The name to hand out: only one that somebody gave.
    var hostname: String? { isKnown ? node.name.text : nil }
}
