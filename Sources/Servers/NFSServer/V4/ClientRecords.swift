import CLinux
import Synchronization

/// Which clients may claim what they had after a restart, on stable storage (RFC 8881, section 8.4.2.1).
///
/// A file of lines, `+` or `-` and the client's name in hexadecimal digits; written anew at each start.
final class ClientRecords: Sendable {
    /// Clients of the run before.
    let recorded: [[UInt8]]
    private struct File {
        var descriptor: CInt
        var known: Set<[UInt8]>
        var lines: Int
    }
    private let path: String
    private let file: Mutex<File>

    /// Lines more than clients, after which the file is written anew.
    private static let slack = 10_000
    /// Longest file that is read, in bytes.
    private static let limit = 64 << 20

    /// Reads the file at `path` and makes it when it is not there.
    ///
    /// Throws `Failure` when it cannot be written.
    init(at path: String) throws {
        self.path = path
        let known = Self.read(path)
        recorded = known.sorted { $0.lexicographicallyPrecedes($1) }
        file = Mutex(File(descriptor: try Self.write(known, path), known: known, lines: known.count))
    }

    /// Why the file cannot be used.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    deinit { close(file.withLock { $0.descriptor }) }

    /// Keeps a client; on the disk when this returns.
    func add(_ owner: [UInt8]) {
        file.withLock { file in
            guard file.known.insert(owner).inserted else { return }
            append("+", owner, &file)
        }
    }

    /// Forgets a client.
    func remove(_ owner: [UInt8]) {
        file.withLock { file in
            guard file.known.remove(owner) != nil else { return }
            append("-", owner, &file)
        }
    }

    private func append(_ sign: Character, _ owner: [UInt8], _ file: inout File) {
        if file.lines > file.known.count + Self.slack, let anew = try? Self.write(file.known, path) {
            close(file.descriptor)
            file.descriptor = anew
            file.lines = file.known.count
            return
        }
        let line = Array("\(sign)\(Self.digits(owner))\n".utf8)
        _ = unsafe CLinux.write(file.descriptor, line, line.count)
        fdatasync(file.descriptor)
        file.lines += 1
    }

    private static func digits(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func write(_ known: Set<[UInt8]>, _ path: String) throws -> CInt {
        let draft = "\(path).new"
        let descriptor = unsafe clinux_open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(description: unsafe "write \(draft): \(String(cString: strerror(clinux_errno())))")
        }
        let text = Array(known.map { "+\(digits($0))\n" }.joined().utf8)
        let written = unsafe CLinux.write(descriptor, text, text.count)
        guard written == text.count, fsync(descriptor) == 0, unsafe rename(draft, path) == 0 else {
            let why = clinux_errno()
            close(descriptor)
            throw Failure(description: unsafe "write \(path): \(String(cString: strerror(why)))")
        }
        let slash = path.lastIndex(of: "/")
        let directory = unsafe clinux_open(
            slash.map { String(path[..<$0]) } ?? ".",
            O_RDONLY | O_DIRECTORY | O_CLOEXEC,
            0
        )
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
        return descriptor
    }

    private static func read(_ path: String) -> Set<[UInt8]> {
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65536)
        while bytes.count < limit {
            let count = unsafe CLinux.read(descriptor, &room, room.count)
            guard count > 0 else { break }
            bytes += room.prefix(count)
        }
        var known: Set<[UInt8]> = []
        // The last line may be half written: it lacks its end.
        for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast() {
            guard let sign = line.first, let owner = parse(line.dropFirst()) else { continue }
            if sign == 0x2b { known.insert(owner) } else { known.remove(owner) }
        }
        return known
    }

    private static func parse(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        guard !digits.isEmpty, digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            guard let value = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
            if let first = high {
                bytes.append(first << 4 | UInt8(value))
                high = nil
            } else {
                high = UInt8(value)
            }
        }
        return bytes
    }
}
