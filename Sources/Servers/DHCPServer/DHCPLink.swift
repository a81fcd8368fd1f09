import Logging
import NetworkIO
import NetworkTypes

/// The sockets of one interface.
final class DHCPLink: Sendable {
    let interface: String
    let dhcp: UDPSocket
    let bootServer: UDPSocket
    /// Nil where the wire is no Ethernet, or may not be watched: then no address is looked for before its offer.
    let watch: LinkWatch?
    /// Nil where nobody wants it, or IPv6 is switched off: then iPXE waits for a router in vain.
    let router: RouterSocket?

    /// Opens the sockets; `sharesPorts` when a server of this program has them open, which this one will replace.
    ///
    /// Throws `PortTaken` when another program answers there.
    init(interface: String, advertisesRouter: Bool, sharesPorts: Bool, log: Logger) throws {
        self.interface = interface
        if !sharesPorts {
            // dnsmasq and others share port 67 with whoever shares it too: without this look two servers would answer.
            for port: UInt16 in [67, 4011] { try UDPSocket.requireFree(Endpoint(.any, port), interface: interface) }
        }
        dhcp = try UDPSocket(bind: Endpoint(.any, 67), interface: interface, broadcast: true, sharesPort: true)
        bootServer = try UDPSocket(bind: Endpoint(.any, 4011), interface: interface, broadcast: true, sharesPort: true)
        do {
            watch = try LinkWatch(interface: interface)
        } catch {
            log.notice("addresses are offered on \(interface) without a look whether they are free: \(error)")
            watch = nil
        }
        guard advertisesRouter else {
            router = nil
            return
        }
        do {
            router = try RouterSocket(interface: interface)
        } catch {
            log.notice("no answer to router solicitations on \(interface), some iPXE will wait 13 s for one: \(error)")
            router = nil
        }
    }

    var descriptors: [FileDescriptor] {
        [dhcp.descriptor, bootServer.descriptor] + [watch?.descriptor, router?.descriptor].compactMap { $0 }
    }
}
