/// Names one boot of one node: 32 hexadecimal digits from 128 random bits.
///
/// It stands in URLs and export names of that boot, so it also proves that who names it was told it.
public struct BootIdentifier: Hashable, Sendable, Comparable {
    /// The digits, lower case.
    public let text: String

    /// From 128 random bits.
    public init(random high: UInt64, _ low: UInt64) {
        func digits(_ value: UInt64) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        text = digits(high) + digits(low)
    }

    /// From a source of random numbers.
    public static func random(using generator: inout some RandomNumberGenerator) -> BootIdentifier {
        BootIdentifier(random: generator.next(), generator.next())
    }

    /// In the order of the text.
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

extension BootIdentifier: LosslessStringConvertible, Codable {
    /// From exactly 32 lower-case hexadecimal digits; else nil.
    public init?(_ description: String) {
        guard description.utf8.count == 32,
            description.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        text = description
    }

    /// The digits.
    public var description: String { text }

    /// From its text form.
    public init(from decoder: any Decoder) throws { self = try decodeText(from: decoder, "boot identifier") }
    /// As its text form.
    public func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}
