import CLinux
public import NetworkTypes

/// Tells the kernel which hardware address an IPv4 address has, for machines that cannot answer ARP yet.
public enum NeighborEntry {
    /// Enters the pair into the neighbour table of one interface, where it ages as if ARP had found it.
    ///
    /// Throws `SystemCallError`; needs CAP_NET_ADMIN, and an interface with a route to the address.
    public static func set(_ address: IPv4Address, at mac: MACAddress, interface: String, through socket: UDPSocket)
        throws(SystemCallError)
    {
        var request = arpreq()
        let pair = Endpoint(address, 0).socketAddress
        unsafe withUnsafeMutableBytes(of: &request.arp_pa) { room in
            unsafe withUnsafeBytes(of: pair) { unsafe room.copyMemory(from: $0) }
        }
        request.arp_ha.sa_family = sa_family_t(ARPHRD_ETHER)
        unsafe withUnsafeMutableBytes(of: &request.arp_ha.sa_data) { unsafe $0.copyBytes(from: mac.bytes) }
        request.arp_flags = CInt(ATF_COM)
        unsafe withUnsafeMutableBytes(of: &request.arp_dev) { unsafe $0.copyBytes(from: interface.utf8.prefix(15)) }
        try check(
            "enter \(address) into the neighbour table of \(interface)",
            unsafe clinux_ioctl(socket.descriptor.number, UInt(SIOCSARP), &request)
        )
    }
}
