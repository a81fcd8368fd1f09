/// The most that a server grants.
public struct TransferLimits: Equatable, Sendable {
    /// Bytes in a block.
    ///
    /// MTU - 32 keeps a DATA packet in one IPv4 packet: ROMs cannot put fragments together.
    public var blockSize: Int
    /// Blocks for one acknowledgement.
    public var windowSize: Int

    /// Limits; out of range values are brought into it.
    public init(blockSize: Int = 1468, windowSize: Int = 64) {
        self.blockSize = min(max(blockSize, 8), 65464)
        self.windowSize = min(max(windowSize, 1), 65535)
    }
}

/// What one transfer uses, settled from the client's request (RFC 2347).
public struct TransferOptions: Equatable, Sendable {
    /// Bytes in every block but the last (RFC 2348).
    public var blockSize = 512
    /// Blocks for one acknowledgement (RFC 7440).
    public var windowSize = 1
    /// Seconds before blocks are sent again, when the client chose (RFC 2349).
    public var timeout: Int?
    /// What the OACK says, in the client's order; empty: no OACK is sent.
    public var granted: [TFTPOption] = []

    /// Without options.
    public init() {}

    /// Grants what the client asked for, within `limits`; what is unknown or out of range is left unanswered.
    ///
    /// - Parameter size: how many bytes will travel.
    public init(_ request: TFTPRequest, size: UInt64, limits: TransferLimits) {
        for option in request.options where !granted.contains(where: { $0.name == option.name }) {
            guard let number = Self.number(option.value) else { continue }
            switch option.name {
            case .blockSize where number >= 8:
                blockSize = Int(min(number, UInt64(limits.blockSize)))
                grant(.blockSize, UInt64(blockSize))
            case .windowSize where number >= 1 && number <= 65535 && request.mode == .octet:
                windowSize = Int(min(number, UInt64(limits.windowSize)))
                grant(.windowSize, UInt64(windowSize))
            case .timeout where (1...255).contains(number):
                timeout = Int(number)
                grant(.timeout, number)
            case .transferSize:
                grant(.transferSize, size)
            default:
                continue
            }
        }
    }

    private mutating func grant(_ name: TFTPOption.Name, _ value: UInt64) {
        granted.append(TFTPOption(name, String(value)))
    }

    /// Plain decimal digits; leading and trailing spaces occur in ROMs.
    private static func number(_ text: String) -> UInt64? {
        let digits = text.drop { $0 == " " }.prefix { $0 != " " }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt64(digits)
    }
}
