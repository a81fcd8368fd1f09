/// How the bytes of a file travel (RFC 1350 section 1); compared without regard to case.
public struct TFTPMode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The mode's name in lower case.
    public var rawValue: String
    /// From a name in any case; unknown ones are kept.
    public init(rawValue: String) { self.rawValue = rawValue.lowercased() }

    /// Bytes as they are.
    public static let octet = TFTPMode(rawValue: "octet")
    /// Text whose lines end in CR LF on the wire (RFC 764).
    public static let netascii = TFTPMode(rawValue: "netascii")

    /// The name in lower case.
    public var description: String { rawValue }
}

/// One option of a request or its acknowledgement (RFC 2347).
public struct TFTPOption: Hashable, Sendable, CustomStringConvertible {
    /// Which option.
    public struct Name: RawRepresentable, Hashable, Sendable {
        /// The option's name in lower case.
        public var rawValue: String
        /// From a name in any case; unknown ones are kept.
        public init(rawValue: String) { self.rawValue = rawValue.lowercased() }

        /// Bytes of file in one block, 8 to 65464 (RFC 2348).
        public static let blockSize = Name(rawValue: "blksize")
        /// Seconds before a block is sent again, 1 to 255 (RFC 2349).
        public static let timeout = Name(rawValue: "timeout")
        /// Bytes in the file (RFC 2349).
        public static let transferSize = Name(rawValue: "tsize")
        /// Blocks sent for one acknowledgement, 1 to 65535 (RFC 7440).
        public static let windowSize = Name(rawValue: "windowsize")
    }

    /// Which option.
    public var name: Name
    /// Its value as text, usually a decimal number.
    public var value: String

    /// An option from its parts.
    public init(_ name: Name, _ value: String) {
        self.name = name
        self.value = value
    }

    /// `name=value`, for a log line.
    public var description: String { "\(name.rawValue)=\(value)" }
}

/// A read or write request (RFC 1350 section 5, options RFC 2347).
public struct TFTPRequest: Hashable, Sendable {
    /// The file name as it came; `TFTPFileName` makes a path of it.
    public var fileName: [UInt8]
    /// How the bytes travel.
    public var mode: TFTPMode
    /// The options in the client's order.
    public var options: [TFTPOption]

    /// A request from its parts.
    public init(fileName: [UInt8], mode: TFTPMode = .octet, options: [TFTPOption] = []) {
        self.fileName = fileName
        self.mode = mode
        self.options = options
    }

    /// The value of the first option of that name.
    public func option(_ name: TFTPOption.Name) -> String? { options.first { $0.name == name }?.value }
}
