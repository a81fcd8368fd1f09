import CLinux

/// Text as it comes from a program or a serial line: kept, stamped with its time, waited on.
///
/// Waiting is woken by data. A log file, if there is one, gets every line with the seconds since the start. The text
/// kept in memory is bounded; the oldest half goes when there is more than 16 MiB.
public final class Transcript: Sendable {
    fileprivate struct State {
        var bytes: [UInt8] = []
        var dropped = 0
        var line: [UInt8] = []
        var ended = false
        var descriptor: Int32 = -1
        var followers: [@Sendable ([UInt8]) -> Void] = []
    }

    fileprivate static let capacity = 16 << 20
    private let state = Monitor(State())
    private let start = MonotonicTime.now

    /// Empty; `log` is the path of a file that gets the stamped lines.
    public init(log: String? = nil) {
        guard let log else { return }
        let descriptor = unsafe clinux_open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        state.update { $0.descriptor = descriptor }
    }

    /// Whether its source is at its end.
    public var hasEnded: Bool { state.read(\.ended) }

    /// How many bytes have come so far: a position to wait from.
    public var position: Int { state.read { $0.dropped + $0.bytes.count } }

    /// The text that came after `position`, control characters and all.
    public func text(from position: Int = 0) -> String {
        state.read { state in String(decoding: state.bytes[state.index(position)...], as: UTF8.self) }
    }

    /// The last lines that have any visible text, terminal control sequences taken out.
    public func lastLines(_ count: Int) -> [String] {
        let recent = state.read { state in state.bytes.suffix(count * 400) }
        let lines = plainText(recent).split(whereSeparator: \.isNewline).filter { $0.contains { !$0.isWhitespace } }
        return lines.suffix(count).map(String.init)
    }

    /// Calls `follower` with every piece of text from now on, on the reading thread.
    public func follow(_ follower: @escaping @Sendable ([UInt8]) -> Void) {
        state.update { $0.followers.append(follower) }
    }

    /// Waits until `pattern` came after `position`.
    ///
    /// - Returns: the position behind the match.
    /// - Throws: ``LabError`` with the last lines when the limit passes or the source ends before it.
    @discardableResult
    public func wait(for pattern: String, from position: Int = 0, limit: Duration) throws -> Int {
        try wait(forAny: [pattern], from: position, limit: limit).position
    }

    /// Waits until one of `patterns` came after `position`; the first in the text wins.
    public func wait(forAny patterns: [String], from position: Int = 0, limit: Duration) throws -> (
        pattern: String, position: Int
    ) {
        let needles = patterns.map { Array($0.utf8) }
        let longest = needles.map(\.count).max() ?? 0
        var searched = position
        let found: (Int, Int)?? = state.wait(limit: limit) { state in
            let from = state.index(searched)
            let hits = needles.enumerated().compactMap { number, needle in
                state.bytes.firstIndex(of: needle, from: from).map { (number, $0 + state.dropped + needle.count) }
            }
            if let first = hits.min(by: { $0.1 < $1.1 }) { return .some(.some(first)) }
            searched = max(searched, state.dropped + state.bytes.count - longest)
            return state.ended ? .some(nil) : nil
        }
        if case .some(.some(let (number, end))) = found { return (patterns[number], end) }
        let why = found == nil ? "did not come within \(Int(limit.inSeconds)) s" : "never came: the program ended"
        let wanted = patterns.map { "“\($0)”" }.joined(separator: " or ")
        throw LabError("\(wanted) \(why); last lines:\n" + lastLines(12).map { "  " + $0 }.joined(separator: "\n"))
    }

    /// Waits until its source is at its end, or the limit passed.
    public func waitForEnd(limit: Duration) { _ = state.wait(limit: limit) { $0.ended ? () : nil } }

    /// Adds bytes, wakes who waits and calls the followers.
    public func append(_ bytes: [UInt8]) {
        let stamp = MonotonicTime.now.seconds - start.seconds
        let followers = state.update { state in
            state.add(bytes, stamp: stamp)
            return state.followers
        }
        for follower in followers { follower(bytes) }
    }

    /// Says that nothing more will come.
    public func end() {
        state.update { state in
            guard !state.ended else { return }
            state.ended = true
            if state.descriptor >= 0 {
                if !state.line.isEmpty { state.add([10], stamp: MonotonicTime.now.seconds - start.seconds) }
                close(state.descriptor)
                state.descriptor = -1
            }
        }
    }

    /// Reads `descriptor` to its end on a thread of its own, then closes it.
    func read(from descriptor: Int32) {
        startThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = unsafe buffer.withUnsafeMutableBytes {
                    unsafe CLinux.read(descriptor, $0.baseAddress, $0.count)
                }
                if count < 0, clinux_errno() == EINTR { continue }
                if count <= 0 { break }
                append(Array(buffer[..<count]))
            }
            close(descriptor)
            end()
        }
    }
}

extension Transcript.State {
    fileprivate func index(_ position: Int) -> Int { min(max(0, position - dropped), bytes.count) }

    fileprivate mutating func add(_ new: [UInt8], stamp: Double) {
        bytes += new
        if bytes.count > Transcript.capacity {
            dropped += bytes.count / 2
            bytes.removeFirst(bytes.count / 2)
        }
        guard descriptor >= 0 else { return }
        for byte in new {
            if byte != 10 {
                if line.count < 65536 { line.append(byte) }
                continue
            }
            let head = Array(stampText(stamp).utf8)
            let output = head + plainText(line[...]).utf8 + [10]
            _ = unsafe output.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            line.removeAll(keepingCapacity: true)
        }
    }
}

/// `   12.345 ` for 12.345 seconds.
private func stampText(_ seconds: Double) -> String {
    let milliseconds = Int(seconds * 1000)
    let fraction = String(milliseconds % 1000)
    let text = "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    return String(repeating: " ", count: max(0, 9 - text.count)) + text + " "
}

/// The text without carriage returns and terminal control sequences (ECMA-48 CSI and two-character escapes).
func plainText(_ bytes: ArraySlice<UInt8>) -> String {
    var output: [UInt8] = []
    var at = bytes.startIndex
    while at < bytes.endIndex {
        let byte = bytes[at]
        at += 1
        if byte == 0x1b {
            guard at < bytes.endIndex else { break }
            let kind = bytes[at]
            at += 1
            guard kind == UInt8(ascii: "[") else { continue }
            while at < bytes.endIndex, !(0x40...0x7e).contains(bytes[at]) { at += 1 }
            at += 1
        } else if byte >= 0x20 || byte == 10 || byte == 9 {
            output.append(byte)
        }
    }
    return String(decoding: output, as: UTF8.self)
}

extension [UInt8] {
    /// Where `needle` begins at or after `start`.
    fileprivate func firstIndex(of needle: [UInt8], from start: Int) -> Int? {
        guard let first = needle.first, count - start >= needle.count else { return needle.isEmpty ? start : nil }
        var at = start
        while at <= count - needle.count {
            guard let next = self[at...(count - needle.count)].firstIndex(of: first) else { return nil }
            if self[next..<next + needle.count].elementsEqual(needle) { return next }
            at = next + 1
        }
        return nil
    }
}
