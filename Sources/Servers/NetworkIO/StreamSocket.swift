public import CLinux
public import NetworkTypes

/// One accepted or connected stream.
public final class StreamSocket: Sendable {
    /// The socket.
    public let descriptor: FileDescriptor
    /// The other end; nil for a Unix socket.
    public let peer: Endpoint?

    /// Takes over a connected socket.
    public init(_ descriptor: FileDescriptor, peer: Endpoint?) {
        self.descriptor = descriptor
        self.peer = peer
    }

    /// Connects to a Unix socket.
    ///
    /// Throws `SystemCallError`.
    public convenience init(connectingTo path: String) throws {
        let descriptor = try FileDescriptor(
            "open a Unix socket",
            socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        )
        let result = try unsafe UnixAddress(path).withSocketAddress { unsafe clinux_connect(descriptor.number, $0, $1) }
        try check("connect to \(path)", result)
        self.init(descriptor, peer: nil)
    }

    /// Our own end.
    public var local: Endpoint? { Self.localEndpoint(of: descriptor) }

    static func localEndpoint(of descriptor: FileDescriptor) -> Endpoint? {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe clinux_getsockname(descriptor.number, &address, &length)
        guard result == 0, CInt(address.sin_family) == AF_INET else { return nil }
        return Endpoint(address)
    }

    /// Sends each message at once and notices a dead peer.
    ///
    /// `TCP_NODELAY`; keepalive probes after 5 s of silence, every 5 s, three of them; unacknowledged data is given up
    /// after `patience` seconds, also where the peer lives but takes nothing. A node that lost its power never closes its
    /// connections.
    public func setPromptDelivery(patience seconds: Int = 15) {
        let tcp = CInt(IPPROTO_TCP)
        try? setOption(descriptor, tcp, TCP_NODELAY, 1, "TCP_NODELAY")
        try? setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE")
        try? setOption(descriptor, tcp, TCP_KEEPIDLE, 5, "TCP_KEEPIDLE")
        try? setOption(descriptor, tcp, TCP_KEEPINTVL, 5, "TCP_KEEPINTVL")
        try? setOption(descriptor, tcp, TCP_KEEPCNT, 3, "TCP_KEEPCNT")
        try? setOption(descriptor, tcp, TCP_USER_TIMEOUT, CInt(clamping: seconds * 1000), "TCP_USER_TIMEOUT")
    }

    /// Holds back segments that are not full until this is lifted again, for 0.2 s at most (tcp(7), TCP_CORK).
    public func holdPartSegments(_ held: Bool) {
        try? setOption(descriptor, CInt(IPPROTO_TCP), TCP_CORK, held ? 1 : 0, "TCP_CORK")
    }

    /// How long a receive or send may wait, in seconds; 0 waits for ever.
    public func setTimeouts(receive: Double? = nil, send: Double? = nil) {
        for (name, seconds) in [(SO_RCVTIMEO, receive), (SO_SNDTIMEO, send)] {
            guard let seconds else { continue }
            var value = timeval(tv_sec: Int(seconds), tv_usec: Int((seconds - seconds.rounded(.down)) * 1_000_000))
            _ = unsafe setsockopt(descriptor.number, SOL_SOCKET, name, &value, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Ends the connection for every thread that uses it; the descriptor itself closes with its last owner.
    public func disconnect() { shutdown(descriptor.number, CInt(SHUT_RDWR)) }

    /// The process at the other end of a Unix socket (SO_PEERCRED); nil for TCP.
    public var peerCredentials: (process: pid_t, user: uid_t)? {
        guard peer == nil else { return nil }
        var credentials = ucred()
        var length = socklen_t(MemoryLayout<ucred>.size)
        guard unsafe getsockopt(descriptor.number, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 else {
            return nil
        }
        return (credentials.pid, credentials.uid)
    }

    /// Receives at most the buffer's size; 0 at the end of the stream.
    ///
    /// Throws `SystemCallError`; EAGAIN there means that the receive timeout has passed.
    public func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int {
        while true {
            let count = unsafe clinux_recv(descriptor.number, buffer.baseAddress, buffer.count, 0)
            if count >= 0 { return count }
            let number = clinux_errno()
            if number != EINTR { throw SystemCallError("receive", number: number) }
        }
    }

    /// Sends everything.
    ///
    /// `moreFollows` lets the kernel join it with what comes next (MSG_MORE).
    ///
    /// Throws `SystemCallError`; EAGAIN there means that the send timeout has passed.
    public func send(_ bytes: UnsafeRawBufferPointer, moreFollows: Bool = false) throws(SystemCallError) {
        var rest = unsafe bytes
        let flags = CInt(MSG_NOSIGNAL) | (moreFollows ? CInt(MSG_MORE) : 0)
        while unsafe !rest.isEmpty {
            let count = unsafe clinux_send(descriptor.number, rest.baseAddress, rest.count, flags)
            if count > 0 {
                unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else {
                let number = clinux_errno()
                if number != EINTR { throw SystemCallError("send", number: number) }
            }
        }
    }

    /// Sends everything in an array.
    public func send(_ bytes: [UInt8], moreFollows: Bool = false) throws(SystemCallError) {
        var failure: SystemCallError?
        unsafe bytes.withUnsafeBytes {
            do throws(SystemCallError) { unsafe try send($0, moreFollows: moreFollows) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
