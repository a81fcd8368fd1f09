import ArgumentParser
import CLinux

/// The text of a fleet file, from its path or standard input.
enum FleetFileText {
    /// Largest file that is read, in bytes.
    private static let limit = 64 << 20

    /// Reads it whole; a file that cannot be read is one line.
    static func read(_ path: String) throws -> String {
        let name = path == "-" ? "standard input" : path
        let descriptor = path == "-" ? dup(STDIN_FILENO) : unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw failure(name) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe CLinux.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if clinux_errno() == EINTR { continue }
                throw failure(name)
            }
            if count == 0 { break }
            bytes += chunk[..<count]
            guard bytes.count <= limit else {
                throw FleetFileUnreadable(description: "\(name): more than \(limit >> 20) MiB")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FleetFileUnreadable(description: "\(name): not UTF-8 text")
        }
        return text
    }

    private static func failure(_ name: String) -> FleetFileUnreadable {
        FleetFileUnreadable(description: "\(name): \(unsafe String(cString: strerror(clinux_errno())))")
    }
}

/// A fleet file that cannot be read.
struct FleetFileUnreadable: Error, CustomStringConvertible {
    let description: String
}
