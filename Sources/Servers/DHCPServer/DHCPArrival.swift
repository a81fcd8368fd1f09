package import BootModel
package import DHCP
package import Logging
package import NetworkTypes

/// A DHCP message with all that the wire tells of its way to us.
package struct DHCPArrival: Sendable {
    /// The port of ours that it came to.
    package enum Port: UInt16, Sendable {
        /// The DHCP server's.
        case dhcp = 67
        /// The PXE boot server's (BINL).
        case bootServer = 4011
    }

    /// The message.
    package var message: DHCPMessage
    /// The port of ours that it came to.
    package var port: Port
    /// The sender.
    package var peer: Endpoint
    /// The name of the interface it came in on.
    package var interface: String
    /// Our addresses on that interface, the kernel's choice for an answer first.
    package var addresses: [IPv4Address]
    /// Whether the wire it came on can be asked who has an address.
    package var canProbe: Bool
    /// Until when its offer may wait for the wire; nil before anything was asked.
    var probeUntil: Timestamp?

    /// An arrival from its parts.
    package init(
        message: DHCPMessage,
        port: Port = .dhcp,
        peer: Endpoint = Endpoint(.any, 68),
        interface: String,
        addresses: [IPv4Address],
        canProbe: Bool = false
    ) {
        self.message = message
        self.port = port
        self.peer = peer
        self.interface = interface
        self.addresses = addresses
        self.canProbe = canProbe
    }
}

/// What a message leads to.
///
/// The changes are committed first; only then the actions are done, in their order.
package struct DHCPOutcome: Sendable, Equatable {
    /// Leases to keep.
    package var changes: [LeaseChange] = []
    /// What to do then.
    package var actions: [DHCPAction] = []
}

/// One thing to do.
package enum DHCPAction: Sendable, Equatable {
    /// Send a reply.
    case send(DHCPOutgoing)
    /// Ask the wire who has this address.
    case probe(IPv4Address)
    /// Tell that there is no IPv6 router, so that an iPXE does not wait for one.
    case advertiseNoRouter
    /// Tell of a boot.
    case record(BootEvent, reached: Boot.Progress?)
    /// Say a line.
    case log(Logger.Level, String)
}

/// A reply and where it goes.
package struct DHCPOutgoing: Sendable, Equatable {
    /// The reply.
    package var message: DHCPMessage
    /// Where it goes.
    package var destination: DHCPReplyDestination
    /// How many bytes of payload the client takes.
    package var limit: Int
    /// The address of ours that it comes from.
    package var server: IPv4Address
}
