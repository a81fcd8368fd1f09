/// What a server tells about an export that a client asked for or opened.
public struct NBDExportDescription: Equatable, Sendable {
    /// Size in bytes.
    public var size: UInt64
    /// What the export can do; `hasFlags` is added by itself.
    public var flags: NBDTransmissionFlags
    /// Smallest unit of offsets and lengths, in bytes (power of two).
    public var minimumBlockSize: UInt32
    /// The unit that costs least, in bytes (power of two).
    public var preferredBlockSize: UInt32
    /// A text for people, shown by clients that ask.
    public var text: String?

    /// An export of `size` bytes.
    public init(
        size: UInt64,
        flags: NBDTransmissionFlags,
        minimumBlockSize: UInt32 = 1,
        preferredBlockSize: UInt32 = 4096,
        text: String? = nil
    ) {
        self.size = size
        self.flags = flags.union(.hasFlags)
        self.minimumBlockSize = minimumBlockSize
        self.preferredBlockSize = preferredBlockSize
        self.text = text
    }
}

/// One line of the list of exports.
public struct NBDListedExport: Equatable, Sendable {
    /// The name to open it by.
    public var name: String
    /// A text for people.
    public var text: String?

    /// A line of the list.
    public init(name: String, text: String? = nil) {
        self.name = name
        self.text = text
    }
}

/// Why an export is not given to a client; the client gets the reason as text.
public struct NBDExportRefusal: Error, Equatable, Sendable {
    /// The reply code: `unknown`, `policy` or `shuttingDown`.
    public var code: NBDOptionReply
    /// What is wrong, in one line.
    public var reason: String

    /// A refusal.
    public init(_ code: NBDOptionReply, _ reason: String) {
        self.code = code
        self.reason = reason
    }
}

/// What a client wants an export for.
public enum NBDExportPurpose: Equatable, Sendable {
    /// To know about it (NBD_OPT_INFO): nothing may be created for it.
    case information
    /// To read and write it (NBD_OPT_GO, NBD_OPT_EXPORT_NAME).
    case transmission
}
