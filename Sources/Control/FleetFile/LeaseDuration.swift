/// A length of time as a fleet file writes it: a number and `s`, `m`, `h` or `d`; seconds without a unit.
struct LeaseDuration: LosslessStringConvertible {
    /// The length in seconds.
    let seconds: UInt32

    private static let units: [(letter: Character, seconds: UInt32)] = [("d", 86400), ("h", 3600), ("m", 60), ("s", 1)]

    /// From seconds.
    init(seconds: UInt32) { self.seconds = seconds }

    /// From text; nil when it is malformed, zero, or more than 32 bits of seconds.
    init?(_ description: String) {
        var digits = description[...]
        var factor: UInt32 = 1
        if let last = digits.last, let unit = Self.units.first(where: { $0.letter == last }) {
            factor = unit.seconds
            digits.removeLast()
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = UInt32(digits) else {
            return nil
        }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow, seconds > 0 else { return nil }
        self.seconds = seconds
    }

    /// In the largest unit that divides it.
    var description: String {
        for unit in Self.units where seconds >= unit.seconds && seconds.isMultiple(of: unit.seconds) {
            return "\(seconds / unit.seconds)\(unit.letter)"
        }
        return "\(seconds)s"
    }
}
