public import NetworkIO
public import NetworkTypes
public import TFTP

/// One read request, as a source of contents sees it.
public struct TFTPContentRequest: Sendable {
    /// The cleaned file name.
    public var name: TFTPFileName
    /// How the bytes travel.
    public var mode: TFTPMode
    /// Who asks.
    public var peer: Endpoint
    /// Which of our addresses was asked; the reply comes from there.
    public var local: IPv4Address
}

/// What a source has for a request.
public enum TFTPContent: Sendable {
    /// An open regular file, sent from its start. `size` is what fstat said.
    case file(FileDescriptor, size: UInt64)
    /// Bytes made for this client.
    case bytes([UInt8])
    /// Nothing; the client gets the code and the text.
    case refused(TFTPErrorCode, String)
}

/// How a transfer went.
public struct TFTPTransferReport: Sendable {
    /// What was asked.
    public var request: TFTPContentRequest
    /// How many bytes there were to send.
    public var size: UInt64
    /// How many bytes the client acknowledged.
    public var bytes: UInt64
    /// Bytes in a block, and blocks for one acknowledgement.
    public var blockSize: Int
    /// Blocks for one acknowledgement.
    public var windowSize: Int
    /// From the request to the end, in seconds.
    public var seconds: Double
    /// How often blocks were sent again after a silence.
    public var retransmissions: Int
    /// How it ended.
    public var outcome: ReadTransfer.Outcome
}

/// Where a TFTP server's contents come from; also told how transfers went.
///
/// `content` is called on the server's request thread: while it works, other requests wait, running transfers do not.
/// `finished` is called on a thread that sends: it must only take note.
public protocol TFTPContentSource: Sendable {
    /// What to send for a request.
    func content(for request: TFTPContentRequest) -> TFTPContent
    /// A transfer has ended.
    func finished(_ report: TFTPTransferReport)
}
