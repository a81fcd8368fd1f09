/// The bounds and the manner of a TFTP server.
public struct TFTPServerOptions: Sendable {
    /// Blocks that are sent for one acknowledgement at most (RFC 7440).
    public var windowSize = 64
    /// Bytes in a block at most; the way to the client may allow less.
    public var blockSize = 65464
    /// Transfers at a time.
    public var transfers = 4096
    /// Transfers at a time with one client address.
    public var transfersPerPeer = 256
    /// Threads that send; each serves any number of transfers.
    public var threads = 1
    /// Answers from the port that was asked instead of a new one for each transfer, for NAT and containers that publish
    /// one port only.
    public var usesSinglePort = false
    /// The most bytes that a file may have to be sent as text (netascii), which is converted in memory.
    public var netasciiLimit: UInt64 = 4 << 20

    /// The usual bounds.
    public init() {}
}
