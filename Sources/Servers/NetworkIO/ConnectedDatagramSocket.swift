import CLinux
public import NetworkTypes

/// A UDP socket for one peer, which never blocks: the kernel sorts the peer's datagrams out, and tells when its port closed.
public final class ConnectedDatagramSocket: Sendable {
    /// The socket.
    public let descriptor: FileDescriptor

    /// Binds to a free port of `local` and connects to `peer`.
    ///
    /// Throws `SystemCallError`.
    public init(from local: IPv4Address, to peer: Endpoint, sendBufferBytes: CInt = 1 << 20) throws {
        let kind = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        descriptor = try FileDescriptor("open a UDP socket", socket(AF_INET, kind, 0))
        let number = descriptor.number
        let bound = unsafe Endpoint(local, 0).withSocketAddress { unsafe clinux_bind(number, $0, $1) }
        try check("bind UDP \(local)", bound)
        let connected = unsafe peer.withSocketAddress { unsafe clinux_connect(number, $0, $1) }
        try check("reach \(peer)", connected)
        try? setOption(descriptor, SOL_SOCKET, SO_SNDBUF, sendBufferBytes, "SO_SNDBUF")
    }

    /// The largest packet on the way to the peer, as far as the kernel knows, in bytes with the IP header.
    public var pathMTU: Int? {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard unsafe getsockopt(descriptor.number, CInt(IPPROTO_IP), IP_MTU, &value, &length) == 0 else { return nil }
        return Int(value)
    }

    /// Sends one datagram; what the kernel has no room for is lost, as on any wire.
    public func send(_ bytes: [UInt8]) {
        _ = unsafe bytes.withUnsafeBytes {
            unsafe CLinux.send(descriptor.number, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
        }
    }

    /// The size of the next datagram, which is put into `buffer`; nil when none is there.
    ///
    /// Throws `SystemCallError` when the peer's port is closed or cannot be reached any more.
    public func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int? {
        let count = unsafe recv(descriptor.number, buffer.baseAddress, buffer.count, CInt(MSG_DONTWAIT))
        if count >= 0 { return count }
        let number = clinux_errno()
        if number == EAGAIN || number == EINTR { return nil }
        throw SystemCallError("receive", number: number)
    }
}
