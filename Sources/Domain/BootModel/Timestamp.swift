/// A moment in UTC, in microseconds since 1970 without leap seconds.
///
/// Its text is ISO 8601 with milliseconds: `2026-11-21T10:30:00.125Z`.
public struct Timestamp: Hashable, Sendable, Comparable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    public var microseconds: Int64

    /// From microseconds since 1970.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// From whole seconds since 1970.
    public init(seconds: Int64) { microseconds = seconds * 1_000_000 }

    /// Whole seconds since 1970, rounded down.
    public var seconds: Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The moment `duration` seconds later.
    public func advanced(bySeconds duration: Double) -> Timestamp {
        Timestamp(microseconds: microseconds + Int64(duration * 1_000_000))
    }

    /// How many seconds lie between `earlier` and this moment.
    public func seconds(since earlier: Timestamp) -> Double {
        Double(microseconds - earlier.microseconds) / 1_000_000
    }

    /// The earlier is less.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }
}

extension Timestamp: LosslessStringConvertible, Codable {
    /// From `YYYY-MM-DDThh:mm:ss[.fraction]Z`; else nil.
    public init?(_ description: String) {
        let bytes = Array(description.utf8)
        guard bytes.count >= 20, bytes.last == 0x5a, bytes[4] == 0x2d, bytes[7] == 0x2d, bytes[10] == 0x54,
            bytes[13] == 0x3a, bytes[16] == 0x3a
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            bytes[range].reduce(Int64?(0)) { sum, byte in
                guard let sum, (0x30...0x39).contains(byte) else { return nil }
                return sum * 10 + Int64(byte - 0x30)
            }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month),
            (1...31).contains(day),
            hour < 24, minute < 60, second < 61
        else { return nil }
        var fraction: Int64 = 0
        if bytes.count > 20 {
            guard bytes[19] == 0x2e, bytes.count >= 22, bytes.count <= 27, var value = number(20..<bytes.count - 1)
            else {
                return nil
            }
            for _ in bytes.count - 21..<6 { value *= 10 }
            fraction = value
        }
        let days = Self.days(year: year, month: month, day: day)
        microseconds = (days * 86400 + hour * 3600 + minute * 60 + second) * 1_000_000 + fraction
    }

    /// ISO 8601 with milliseconds, UTC.
    public var description: String {
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let second = seconds
        let day = second >= 0 ? second / 86400 : (second - 86399) / 86400
        let (year, month, dayOfMonth) = Self.date(day)
        let rest = second - day * 86400
        let milliseconds = (microseconds - second * 1_000_000) / 1000
        return
            "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))T\(padded(rest / 3600, 2)):"
            + "\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2)).\(padded(milliseconds, 3))Z"
    }

    // The proleptic Gregorian calendar, counted in 400-year eras that begin on 1 March.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }

    /// From its text form.
    public init(from decoder: any Decoder) throws {
        self = try decodeText(from: decoder, "time such as 2026-01-31T12:00:00Z")
    }
    /// As its text form.
    public func encode(to encoder: any Encoder) throws { try encodeText(self, to: encoder) }
}
