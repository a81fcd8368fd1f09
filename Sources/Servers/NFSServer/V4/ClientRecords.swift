import CLinux
package import Logging
import Synchronization

/// Which clients may claim what they had after a restart, on stable storage (RFC 8881, section 8.4.2.1).
///
/// A file of lines, `+` or `-` and the client's name in hexadecimal digits; written anew at each start. When the disk does
/// not take it, clients are served all the same, the log tells, and it is tried again: a client that is missing there is
/// told so when it reclaims after a restart (NO_GRACE), and where one could not be struck out nobody may reclaim.
package final class ClientRecords: Sendable {
    /// Clients of the run before.
    package let recorded: [[UInt8]]
    private struct File {
        /// Nil while what is known is not on the disk.
        var descriptor: CInt?
        var known: Set<[UInt8]>
        var lines = 0
        /// Rounds of `tryAgain` until the next one writes.
        var wait = 0
        var isTold = false
    }
    private let path: String
    private let logger: Logger
    private let file: Mutex<File>

    /// Lines more than clients, after which the file is written anew.
    private static let slack = 10_000
    /// Longest file that is read, in bytes.
    private static let limit = 64 << 20
    /// After how many seconds a failed write is tried again.
    private static let patience = 10

    /// Reads the file at `path` and makes it when it is not there.
    package init(at path: String, logger: Logger) {
        self.path = path
        self.logger = logger
        let known = Self.read(path)
        recorded = known.sorted { $0.lexicographicallyPrecedes($1) }
        file = Mutex(File(known: known))
        file.withLock { writeAnew(&$0, hasLess: false) }
    }

    /// Why the file cannot be used.
    private struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    deinit {
        if let descriptor = file.withLock({ $0.descriptor }) { close(descriptor) }
    }

    /// Whether all that is known is on the disk.
    package var isDurable: Bool { file.withLock { $0.descriptor != nil } }

    /// Keeps a client; on the disk when this returns, unless `isDurable` is false then.
    package func add(_ owner: [UInt8]) {
        file.withLock { file in
            guard file.known.insert(owner).inserted else { return }
            append("+", owner, &file)
        }
    }

    /// Forgets a client.
    package func remove(_ owner: [UInt8]) {
        file.withLock { file in
            guard file.known.remove(owner) != nil else { return }
            append("-", owner, &file)
        }
    }

    /// Writes down what could not be written; to be called about every second.
    package func tryAgain() {
        file.withLock { file in
            guard file.descriptor == nil else { return }
            file.wait -= 1
            if file.wait <= 0 { writeAnew(&file, hasLess: false) }
        }
    }

    private func append(_ sign: Character, _ owner: [UInt8], _ file: inout File) {
        if let descriptor = file.descriptor, file.lines <= file.known.count + Self.slack {
            let line = Array("\(sign)\(Self.digits(owner))\n".utf8)
            if unsafe CLinux.write(descriptor, line, line.count) == line.count, fdatasync(descriptor) == 0 {
                file.lines += 1
                return
            }
        }
        // Also after half a line: what follows it could not be read.
        writeAnew(&file, hasLess: sign == "-")
    }

    /// Writes all that is known into a new file; `hasLess` when what lies on the disk names a client too many.
    private func writeAnew(_ file: inout File, hasLess: Bool) {
        if let old = file.descriptor { close(old) }
        file.descriptor = nil
        do {
            file.descriptor = try Self.write(file.known, path)
            file.lines = file.known.count
            if file.isTold { logger.notice("NFS clients are recorded again", metadata: ["path": "\(path)"]) }
            file.isTold = false
        } catch {
            // Somebody else may get what that client had: rather nobody reclaims than the wrong one.
            if hasLess { _ = unsafe unlink(path) }
            file.wait = Self.patience
            guard !file.isTold else { return }
            file.isTold = true
            logger.error(
                "NFS clients cannot be recorded: those of version 4 may lose opens and locks when the server restarts",
                metadata: ["why": "\(error)"]
            )
        }
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
            _ = unsafe unlink(draft)
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
