import ArgumentParser
import CLinux

/// A small text file that an option names.
enum TextFile {
    /// The file's text, or the line that says why it cannot be used.
    static func read(_ path: String, option: String, limit: Int = 1 << 20) throws -> String {
        guard let file = unsafe fopen(path, "re") else {
            throw ValidationError("\(option) \(path): \(unsafe String(cString: strerror(clinux_errno())))")
        }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
        guard unsafe ferror(file) == 0 else { throw ValidationError("\(option) \(path): cannot be read") }
        guard count <= limit else { throw ValidationError("\(option) \(path): more than \(limit >> 20) MiB") }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
