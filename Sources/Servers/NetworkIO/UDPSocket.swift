import CLinux
public import NetworkTypes

/// A UDP socket that tells for each datagram to which local address and on which interface it came.
public final class UDPSocket: Sendable {
    /// The socket.
    public let descriptor: FileDescriptor
    /// What it is bound to.
    public let endpoint: Endpoint

    /// Binds to `endpoint`, on one interface only when `interface` is given.
    ///
    /// Throws `PortTaken` or `SystemCallError`. `sharesPort` is for several sockets on one port, one an interface.
    public init(
        bind endpoint: Endpoint,
        interface: String? = nil,
        broadcast: Bool = false,
        sharesPort: Bool = false,
        receiveBufferBytes: CInt = 4 << 20
    ) throws {
        descriptor = try FileDescriptor(
            "open a UDP socket",
            socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        )
        if let interface { try Self.bind(descriptor, to: interface) }
        if sharesPort { try setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR") }
        if broadcast { try setOption(descriptor, SOL_SOCKET, SO_BROADCAST, 1, "SO_BROADCAST") }
        try setOption(descriptor, CInt(IPPROTO_IP), IP_PKTINFO, 1, "IP_PKTINFO")
        // The default of 208 KiB drops requests when a thousand machines start at once; FORCE needs root.
        if (try? setOption(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, receiveBufferBytes, "SO_RCVBUFFORCE")) == nil {
            try? setOption(descriptor, SOL_SOCKET, SO_RCVBUF, receiveBufferBytes, "SO_RCVBUF")
        }
        let result = unsafe endpoint.withSocketAddress { [descriptor] in unsafe clinux_bind(descriptor.number, $0, $1) }
        guard result == 0 else { throw PortTaken(transport: "UDP", endpoint: endpoint, number: clinux_errno()) }
        self.endpoint = endpoint.port == 0 ? Self.localEndpoint(descriptor) ?? endpoint : endpoint
    }

    /// Throws `PortTaken` when a program has this port on this interface, also one that would share it.
    ///
    /// `sharesPort` hides such a program: each of the two would then get a part of the datagrams.
    public static func requireFree(_ endpoint: Endpoint, interface: String) throws {
        _ = try UDPSocket(bind: endpoint, interface: interface, receiveBufferBytes: 4096)
    }

    private static func bind(_ descriptor: FileDescriptor, to interface: String) throws(SystemCallError) {
        try check(
            "use interface \(interface)",
            unsafe setsockopt(
                descriptor.number,
                SOL_SOCKET,
                SO_BINDTODEVICE,
                interface,
                socklen_t(interface.utf8.count + 1)
            )
        )
    }

    private static func localEndpoint(_ descriptor: FileDescriptor) -> Endpoint? {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe clinux_getsockname(descriptor.number, &address, &length)
        return result == 0 ? Endpoint(address) : nil
    }
}

/// Where a datagram came from and arrived.
public struct DatagramOrigin: Hashable, Sendable {
    /// The sender.
    public var peer: Endpoint
    /// The address it was sent to; 255.255.255.255 for a broadcast.
    public var destination: IPv4Address
    /// The kernel's choice of our address on that path (`ipi_spec_dst`), to answer from.
    public var local: IPv4Address
    /// The index of the interface it came in on.
    public var interfaceIndex: Int32
}

extension UDPSocket {
    /// Receives one datagram into `buffer`; nil when `flags` hold MSG_DONTWAIT and none is there.
    ///
    /// Throws `SystemCallError` for anything but a missing datagram or an interrupting signal. A datagram longer than
    /// the buffer is cut, as recvmsg does.
    public func receive(into buffer: inout [UInt8], flags: CInt = 0) throws -> (count: Int, origin: DatagramOrigin)? {
        var peer = sockaddr_in()
        // Room for one in_pktinfo, aligned as cmsghdr.
        var control: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
        var local = IPv4Address.any
        var destination = IPv4Address.any
        var interfaceIndex: Int32 = 0
        let descriptor = descriptor.number
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe withUnsafeMutableBytes(of: &control) { control in
                unsafe withUnsafeMutablePointer(to: &peer) { peer in
                    var vector = unsafe iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                    return unsafe withUnsafeMutablePointer(to: &vector) { vector in
                        var message = unsafe msghdr()
                        unsafe message.msg_name = UnsafeMutableRawPointer(peer)
                        unsafe message.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
                        unsafe message.msg_iov = vector
                        unsafe message.msg_iovlen = 1
                        unsafe message.msg_control = control.baseAddress
                        unsafe message.msg_controllen = control.count
                        let count = unsafe recvmsg(descriptor, &message, flags)
                        var header = count >= 0 ? unsafe clinux_cmsg_first(&message) : nil
                        while let current = unsafe header {
                            if unsafe current.pointee.cmsg_level == CInt(IPPROTO_IP)
                                && current.pointee.cmsg_type == IP_PKTINFO
                            {
                                let info = unsafe clinux_cmsg_data(current).loadUnaligned(as: in_pktinfo.self)
                                local = IPv4Address(value: UInt32(bigEndian: info.ipi_spec_dst.s_addr))
                                destination = IPv4Address(value: UInt32(bigEndian: info.ipi_addr.s_addr))
                                interfaceIndex = info.ipi_ifindex
                            }
                            unsafe header = clinux_cmsg_next(&message, current)
                        }
                        return count
                    }
                }
            }
        }
        guard count >= 0 else {
            let number = clinux_errno()
            if number == EAGAIN || number == EINTR { return nil }
            // An ICMP error of an earlier datagram of ours is not this socket's failure.
            if number == ECONNREFUSED || number == EHOSTUNREACH || number == ENETUNREACH { return nil }
            throw SystemCallError("receive on UDP \(endpoint)", number: number)
        }
        let origin = DatagramOrigin(
            peer: Endpoint(peer),
            destination: destination,
            local: local,
            interfaceIndex: interfaceIndex
        )
        return (count, origin)
    }

    /// Sends one datagram; from `local` and out of the interface with this index when they are given.
    ///
    /// Throws `SystemCallError` when the kernel refuses it.
    public func send(
        _ bytes: Span<UInt8>,
        to peer: Endpoint,
        from local: IPv4Address? = nil,
        interfaceIndex: Int32 = 0
    ) throws(SystemCallError) {
        var address = peer.socketAddress
        var control: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let descriptor = descriptor.number
        let wantsControl = local != nil || interfaceIndex != 0
        let sent = unsafe bytes.withUnsafeBytes { bytes in
            unsafe withUnsafeMutableBytes(of: &control) { control in
                unsafe withUnsafeMutablePointer(to: &address) { address in
                    var vector = unsafe iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress),
                        iov_len: bytes.count
                    )
                    return unsafe withUnsafeMutablePointer(to: &vector) { vector in
                        var message = unsafe msghdr()
                        unsafe message.msg_name = UnsafeMutableRawPointer(address)
                        unsafe message.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
                        unsafe message.msg_iov = vector
                        unsafe message.msg_iovlen = 1
                        if wantsControl {
                            unsafe message.msg_control = control.baseAddress
                            unsafe message.msg_controllen = clinux_cmsg_space(MemoryLayout<in_pktinfo>.size)
                            if let header = unsafe clinux_cmsg_first(&message) {
                                unsafe header.pointee.cmsg_level = CInt(IPPROTO_IP)
                                unsafe header.pointee.cmsg_type = IP_PKTINFO
                                unsafe header.pointee.cmsg_len = clinux_cmsg_len(MemoryLayout<in_pktinfo>.size)
                                var info = in_pktinfo()
                                info.ipi_ifindex = interfaceIndex
                                info.ipi_spec_dst.s_addr = (local ?? .any).value.bigEndian
                                unsafe clinux_cmsg_data(header).copyMemory(
                                    from: &info,
                                    byteCount: MemoryLayout<in_pktinfo>.size
                                )
                            }
                        }
                        return unsafe sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL))
                    }
                }
            }
        }
        guard sent >= 0 else { throw SystemCallError("send to \(peer)") }
    }
}
