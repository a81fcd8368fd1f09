import CLinux
public import NetworkTypes

/// Accepts TCP or Unix connections.
public final class StreamListener: Sendable {
    /// Where it listens.
    public enum Place: Hashable, Sendable, CustomStringConvertible {
        /// A TCP port.
        case tcp(Endpoint)
        /// A Unix socket that only root can use.
        case unix(String)

        /// For a message.
        public var description: String {
            switch self {
            case .tcp(let endpoint): "TCP \(endpoint)"
            case .unix(let path): path
            }
        }
    }

    /// The listening socket.
    public let descriptor: FileDescriptor
    /// Where it listens; a port of 0 is replaced by the one the kernel chose.
    public let place: Place
    /// The file of a Unix socket, so that `stop` never removes another server's; nil for TCP.
    private let file: SocketFile?

    /// Listens on a TCP port.
    ///
    /// Throws `PortTaken` or `SystemCallError`.
    public init(tcp endpoint: Endpoint, backlog: CInt = 1024) throws {
        descriptor = try FileDescriptor(
            "open a TCP socket",
            socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        )
        // A restarted server must get its port back while old connections still linger in TIME_WAIT.
        try setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR")
        descriptor.setUnpacedCongestionControl()
        let bound = unsafe endpoint.withSocketAddress { [descriptor] in unsafe clinux_bind(descriptor.number, $0, $1) }
        guard bound == 0, listen(descriptor.number, backlog) == 0 else {
            throw PortTaken(transport: "TCP", endpoint: endpoint, number: clinux_errno())
        }
        var actual = endpoint
        if endpoint.port == 0, let local = StreamSocket.localEndpoint(of: descriptor) { actual.port = local.port }
        place = .tcp(actual)
        file = nil
    }

    /// Listens on a Unix socket with mode 0600, replacing a dead one that lies there.
    ///
    /// Throws `SystemCallError`, also when another program listens there; the path may have 107 bytes.
    public init(unix path: String, backlog: CInt = 64) throws {
        let address = try UnixAddress(path)
        descriptor = try FileDescriptor(
            "open a Unix socket",
            socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        )
        place = .unix(path)
        try SocketFile.removeDead(path)
        // The socket's own mode becomes the file's; a umask would be that of every thread.
        try check("protect \(path)", fchmod(descriptor.number, 0o600))
        let bound = unsafe address.withSocketAddress { [descriptor] in
            unsafe clinux_bind(descriptor.number, $0, $1)
        }
        try check("listen on \(path)", bound)
        try check("listen on \(path)", listen(descriptor.number, backlog))
        file = try SocketFile(path)
    }

    /// Waits for the next connection; nil once `stop` was called.
    ///
    /// Throws `SystemCallError` for failures that will not pass by themselves.
    public func accept() throws -> StreamSocket? {
        while true {
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = unsafe clinux_accept(descriptor.number, &address, &length, CInt(SOCK_CLOEXEC.rawValue))
            if result >= 0 {
                guard case .tcp = place else { return StreamSocket(FileDescriptor(owning: result), peer: nil) }
                return StreamSocket(FileDescriptor(owning: result), peer: Endpoint(address))
            }
            switch clinux_errno() {
            case EINVAL, EBADF: return nil
            // The fate of one connection that was given up before it was accepted: accept(2).
            case EINTR, ECONNABORTED, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH,
                ENONET, ETIMEDOUT:
                continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM:
                // Passes when a connection ends or a firewall allows it; the pause keeps this thread from spinning.
                usleep(50_000)
            case let number: throw SystemCallError("accept on \(place)", number: number)
            }
        }
    }

    /// Ends every `accept` that waits.
    public func stop() {
        shutdown(descriptor.number, CInt(SHUT_RDWR))
        if case .unix(let path) = place, let file, file == (try? SocketFile(path)) { _ = unsafe unlink(path) }
    }
}
