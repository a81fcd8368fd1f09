import CLinux

/// A raw ICMPv6 socket on one interface that hears router solicitations and advertisements and can send the latter.
public final class RouterSocket: Sendable {
    /// The socket.
    public let descriptor: FileDescriptor
    private let interfaceIndex: UInt32

    /// Opens it and joins the group of all routers (ff02::2).
    ///
    /// Throws `SystemCallError`: without CAP_NET_RAW, or where IPv6 is switched off.
    public init(interface: String) throws {
        let what = "hear router solicitations on \(interface)"
        descriptor = try FileDescriptor(
            what,
            socket(
                AF_INET6,
                CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue),
                CInt(IPPROTO_ICMPV6)
            )
        )
        interfaceIndex = unsafe if_nametoindex(interface)
        try check(
            what,
            unsafe setsockopt(
                descriptor.number,
                SOL_SOCKET,
                SO_BINDTODEVICE,
                interface,
                socklen_t(interface.utf8.count + 1)
            )
        )
        // Everything but the two kinds of message this is about stays in the kernel (RFC 3542 section 3.2: a set bit blocks).
        var filter = icmp6_filter()
        unsafe withUnsafeMutableBytes(of: &filter) { words in
            for index in words.indices { unsafe words[index] = 0xff }
            for type in [133, 134] { unsafe words[type / 8] &= ~(1 << UInt8(type % 8)) }
        }
        let ipv6 = CInt(IPPROTO_IPV6)
        try check(
            what,
            unsafe setsockopt(
                descriptor.number,
                CInt(IPPROTO_ICMPV6),
                CInt(ICMP6_FILTER),
                &filter,
                socklen_t(MemoryLayout<icmp6_filter>.size)
            )
        )
        // RFC 4861 section 6.1.2: receivers drop advertisements with another hop limit.
        try setOption(descriptor, ipv6, IPV6_MULTICAST_HOPS, 255, what)
        try setOption(descriptor, ipv6, IPV6_MULTICAST_LOOP, 0, what)
        try setOption(descriptor, ipv6, IPV6_MULTICAST_IF, CInt(bitPattern: interfaceIndex), what)
        var group = ipv6_mreq()
        group.ipv6mr_interface = interfaceIndex
        Self.setAddress(&group.ipv6mr_multiaddr, lastByte: 2)
        try check(
            what,
            unsafe setsockopt(
                descriptor.number,
                ipv6,
                IPV6_JOIN_GROUP,
                &group,
                socklen_t(MemoryLayout<ipv6_mreq>.size)
            )
        )
    }

    /// ff02::`lastByte`.
    private static func setAddress(_ address: inout in6_addr, lastByte: UInt8) {
        unsafe withUnsafeMutableBytes(of: &address) {
            unsafe $0[0] = 0xff
            unsafe $0[1] = 0x02
            unsafe $0[15] = lastByte
        }
    }

    /// Receives one ICMPv6 message without waiting; nil when none is there.
    ///
    /// `source` has 16 bytes. Throws `SystemCallError` when the interface is gone.
    public func receive(into buffer: inout [UInt8]) throws -> (count: Int, source: [UInt8])? {
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let descriptor = descriptor.number
        let count = unsafe buffer.withUnsafeMutableBytes { buffer in
            unsafe withUnsafeMutablePointer(to: &address) {
                unsafe clinux_recvfrom(descriptor, buffer.baseAddress, buffer.count, 0, $0, &length)
            }
        }
        guard count >= 0 else {
            let number = clinux_errno()
            if number == EAGAIN || number == EINTR { return nil }
            throw SystemCallError("receive router solicitations", number: number)
        }
        let source = unsafe withUnsafeBytes(of: address.sin6_addr) { unsafe Array($0) }
        return (count, source)
    }

    /// Sends one ICMPv6 message to all nodes on the link (ff02::1); the kernel fills in the checksum.
    ///
    /// Throws `SystemCallError`, also while the interface has no link-local address yet.
    public func sendToAllNodes(_ message: [UInt8]) throws {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_scope_id = interfaceIndex
        Self.setAddress(&address.sin6_addr, lastByte: 1)
        let descriptor = descriptor.number
        let sent = unsafe message.withUnsafeBytes { bytes in
            unsafe withUnsafePointer(to: &address) {
                unsafe clinux_sendto(
                    descriptor,
                    bytes.baseAddress,
                    bytes.count,
                    CInt(MSG_DONTWAIT),
                    $0,
                    socklen_t(MemoryLayout<sockaddr_in6>.size)
                )
            }
        }
        guard sent >= 0 else { throw SystemCallError("send a router advertisement") }
    }
}
