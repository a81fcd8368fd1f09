public import CLinux
public import NetworkTypes

extension Endpoint {
    /// From the kernel's form.
    public init(_ address: sockaddr_in) {
        self.init(
            IPv4Address(value: UInt32(bigEndian: address.sin_addr.s_addr)),
            UInt16(bigEndian: address.sin_port)
        )
    }

    /// The kernel's form.
    public var socketAddress: sockaddr_in {
        var result = sockaddr_in()
        result.sin_family = sa_family_t(AF_INET)
        result.sin_port = port.bigEndian
        result.sin_addr.s_addr = address.value.bigEndian
        return result
    }

    /// Calls `body` with a pointer to the kernel's form, for bind, connect and sendto.
    func withSocketAddress<Result>(_ body: (UnsafeRawPointer, socklen_t) -> Result) -> Result {
        var address = socketAddress
        return unsafe withUnsafePointer(to: &address) {
            unsafe body(UnsafeRawPointer($0), socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// Sets an integer socket option; throws when the kernel refuses it.
func setOption(_ socket: FileDescriptor, _ level: CInt, _ name: CInt, _ value: CInt, _ what: String)
    throws(SystemCallError)
{
    var value = value
    try check(
        what,
        unsafe setsockopt(socket.number, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
    )
}

/// Explains a failed bind of a well-known port.
public struct PortTaken: Error, Equatable, Sendable, CustomStringConvertible {
    /// The protocol: "UDP" or "TCP".
    public var transport: String
    /// What was asked for.
    public var endpoint: Endpoint
    /// The error number of bind.
    public var number: CInt

    /// One line: what is wrong, and how to mend it.
    public var description: String {
        switch number {
        case EADDRINUSE:
            "\(transport) \(endpoint) is taken by another program: stop it (see 'ss -lnp'), or listen elsewhere"
        case EACCES: "\(transport) \(endpoint) needs root or CAP_NET_BIND_SERVICE"
        case EADDRNOTAVAIL: "\(transport) \(endpoint): this computer does not have the address \(endpoint.address)"
        default: SystemCallError("bind \(transport) \(endpoint)", number: number).description
        }
    }
}
