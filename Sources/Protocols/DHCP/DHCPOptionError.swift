import ByteCoding

/// An option is there, but its value cannot be what its definition says.
public struct DHCPOptionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which option.
    public var code: DHCPOptionCode
    /// What is wrong, in words.
    public var reason: String

    /// An error about `code`.
    public init(_ code: DHCPOptionCode, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    /// For a log line.
    public var description: String { "option \(code): \(reason)" }
}

extension DHCPMessage {
    /// The value of a fixed-size option as a number; nil when absent.
    func number<Value: FixedWidthInteger>(_ code: DHCPOptionCode, _ type: Value.Type) throws(DHCPOptionError) -> Value?
    {
        guard let value = first(code) else { return nil }
        let wanted = MemoryLayout<Value>.size
        guard value.count == wanted else { throw DHCPOptionError(code, "\(wanted) bytes wanted, \(value.count) there") }
        return value.reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
    }

    /// The value as text without zero bytes at its end; nil when absent.
    ///
    /// Bytes that are not UTF-8 are replaced.
    func text(_ code: DHCPOptionCode) -> String? {
        joined(code).map { value in
            var value = value
            while value.last == 0 { value.removeLast() }
            return String(decoding: value, as: UTF8.self)
        }
    }
}

extension DHCPOption {
    /// A two-byte number.
    init(_ code: DHCPOptionCode, _ number: UInt16) {
        self.init(code, [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)])
    }

    /// A four-byte number.
    init(_ code: DHCPOptionCode, _ number: UInt32) {
        self.init(code, (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * $0)) })
    }
}
