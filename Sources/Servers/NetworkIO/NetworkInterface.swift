import CLinux
public import NetworkTypes

/// One of this computer's network interfaces with an IPv4 address of its.
public struct NetworkInterface: Hashable, Sendable {
    /// Its name, such as `eth0`.
    public var name: String
    /// The kernel's index.
    public var index: Int32
    /// Its address.
    public var address: IPv4Address
    /// The subnet of that address.
    public var subnet: IPv4Subnet

    /// An interface from its parts.
    public init(name: String, index: Int32, address: IPv4Address, subnet: IPv4Subnet) {
        self.name = name
        self.index = index
        self.address = address
        self.subnet = subnet
    }

    /// Every IPv4 address of every interface that is up, in the kernel's order.
    ///
    /// Throws `SystemCallError`.
    public static func all() throws -> [NetworkInterface] {
        var list: UnsafeMutablePointer<ifaddrs>?
        try check("list network interfaces", unsafe getifaddrs(&list))
        defer { unsafe freeifaddrs(list) }
        var found: [NetworkInterface] = []
        var current = unsafe list
        while let entry = unsafe current {
            unsafe current = entry.pointee.ifa_next
            guard let address = unsafe entry.pointee.ifa_addr, let mask = unsafe entry.pointee.ifa_netmask,
                unsafe CInt(address.pointee.sa_family) == AF_INET,
                unsafe entry.pointee.ifa_flags & UInt32(IFF_UP) != 0
            else { continue }
            let value = unsafe Endpoint(UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)).address
            let bits = unsafe Endpoint(UnsafeRawPointer(mask).loadUnaligned(as: sockaddr_in.self)).address.value
            guard let subnet = IPv4Subnet(containing: value, prefixLength: bits.nonzeroBitCount) else { continue }
            let name = unsafe String(cString: entry.pointee.ifa_name)
            found.append(
                NetworkInterface(name: name, index: Int32(unsafe if_nametoindex(name)), address: value, subnet: subnet)
            )
        }
        return found
    }

    /// Whether there is an interface of this name, with an address or without.
    public static func exists(_ name: String) -> Bool { unsafe if_nametoindex(name) != 0 }

    /// The first address of the interface with this name; nil when it has none or does not exist.
    public static func named(_ name: String) throws -> NetworkInterface? {
        try all().first { $0.name == name }
    }
}
