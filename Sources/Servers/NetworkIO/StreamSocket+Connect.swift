import CLinux
public import NetworkTypes

extension StreamSocket {
    /// Connects to a TCP port; gives up after so many seconds, when they are given.
    ///
    /// Throws `SystemCallError`.
    public convenience init(connectingTo endpoint: Endpoint, timeoutSeconds: Int? = nil) throws {
        let descriptor = try FileDescriptor(
            "open a TCP socket",
            socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        )
        if let timeoutSeconds {
            // Linux bounds connect(2) by it too: socket(7).
            var value = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
            let size = socklen_t(MemoryLayout<timeval>.size)
            _ = unsafe setsockopt(descriptor.number, SOL_SOCKET, SO_SNDTIMEO, &value, size)
        }
        let result = unsafe endpoint.withSocketAddress { unsafe clinux_connect(descriptor.number, $0, $1) }
        try check("connect to TCP \(endpoint)", result)
        self.init(descriptor, peer: endpoint)
    }
}
