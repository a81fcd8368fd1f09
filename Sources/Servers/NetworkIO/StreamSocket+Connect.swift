import CLinux
public import NetworkTypes

extension StreamSocket {
    /// Connects to a TCP port.
    ///
    /// Throws `SystemCallError`.
    public convenience init(connectingTo endpoint: Endpoint) throws {
        let descriptor = try FileDescriptor(
            "open a TCP socket",
            socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        )
        let result = unsafe endpoint.withSocketAddress { unsafe clinux_connect(descriptor.number, $0, $1) }
        try check("connect to TCP \(endpoint)", result)
        self.init(descriptor, peer: endpoint)
    }
}
