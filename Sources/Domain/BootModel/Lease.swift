public import NetworkTypes

/// An address given to one machine for a time.
public struct Lease: Hashable, Sendable, Codable {
    /// What became of the address.
    public enum State: String, Hashable, Sendable, Codable {
        /// In use by its machine until it expires.
        case bound
        /// The machine said that somebody else uses the address (DHCPDECLINE); kept out of use until it expires.
        case declined
    }

    /// The address.
    public var address: IPv4Address
    /// The hardware address that holds it.
    ///
    /// Leases are keyed by it, not by the client identifier: firmware, iPXE, initramfs and operating system each
    /// send another one.
    public var mac: MACAddress
    /// The network whose pool or reservation it is.
    public var network: NetworkName
    /// What became of it.
    public var state: State
    /// When it was given or last renewed.
    public var granted: Timestamp
    /// When it ends unless renewed.
    public var expires: Timestamp
    /// Until when the store keeps the address for its machine, never before `expires`: a renewal that ends before it
    /// needs no write.
    public var kept: Timestamp
    /// The host name that the machine told (option 12), as it told it.
    public var hostname: String?

    /// A lease from its parts; it is kept until it expires unless `kept` says longer.
    public init(
        address: IPv4Address,
        mac: MACAddress,
        network: NetworkName,
        state: State = .bound,
        granted: Timestamp,
        expires: Timestamp,
        kept: Timestamp? = nil,
        hostname: String? = nil
    ) {
        self.address = address
        self.mac = mac
        self.network = network
        self.state = state
        self.granted = granted
        self.expires = expires
        self.kept = max(kept ?? expires, expires)
        self.hostname = hostname
    }
}

/// A change to the kept leases.
public enum LeaseChange: Hashable, Sendable {
    /// The lease of this address is now this.
    case set(Lease)
    /// The address is free.
    case remove(IPv4Address)

    /// The address it is about.
    public var address: IPv4Address {
        switch self {
        case .set(let lease): lease.address
        case .remove(let address): address
        }
    }
}
