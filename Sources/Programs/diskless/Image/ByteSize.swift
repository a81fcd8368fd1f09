import ArgumentParser

/// A number of bytes on the command line: `4G`, `512M`, `65536`.
enum ByteSize {
    /// The bytes, or the error that shows how to write them.
    ///
    /// K, M, G and T are powers of 1024.
    static func parse(_ text: String) throws -> Int64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units: [String: Int64] = ["": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
        guard let number = Int64(digits), number > 0, let unit = units[text.dropFirst(digits.count).uppercased()] else {
            throw ValidationError("\"\(text)\" is not a size: write 4G or 512M")
        }
        let (bytes, tooLarge) = number.multipliedReportingOverflow(by: unit)
        guard !tooLarge, bytes <= 1 << 44 else { throw ValidationError("\"\(text)\" is more than 16T") }
        return bytes
    }
}
