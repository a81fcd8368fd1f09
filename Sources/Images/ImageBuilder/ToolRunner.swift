internal import CLinux
import FileSystems
internal import ImageStore

/// Runs other people's programs: an argument vector and no shell, output read as it comes and kept in bounds, and the
/// program stopped with everything it started when somebody asks to stop.
struct ToolRunner {
    /// Who may ask to stop.
    let interruption: Interruption
    /// The whole environment of the programs.
    let environment: [String]
    /// Tells of the file system that programs write to while it is full; nil while it has room.
    var fullFileSystem: () -> FileSystemRoom? = { nil }

    /// How much of a program's end is kept for messages, in lines and in bytes a line.
    static let tailLines = 12
    static let lineLength = 400
    /// How much output ``run(_:_:input:capture:line:)`` keeps when asked to, in bytes.
    static let captureLimit = 16 << 20
    /// How long a program may clean up after it was asked to stop, in milliseconds.
    static let patience: Int64 = 15_000
    /// How long a full file system is waited for, in milliseconds: a program that can, says itself what it lacks.
    ///
    /// apt does not: without room for an index it waits for ever.
    static let fullPatience: Int64 = 3000

    /// What a program left.
    struct Outcome {
        var status: ToolStatus
        /// Its last lines.
        var tail: [String]
        /// Everything it wrote to standard output, when that was asked for.
        var output: [UInt8]
    }

    init(interruption: Interruption, environment: [String]) {
        self.interruption = interruption
        self.environment = environment
    }

    /// Runs a program to its end.
    ///
    /// Standard output and error come together, line by line, to `line`; with `capture`, standard output is kept instead.
    /// Standard input is `input`. Throws only when the program cannot be started, after an interruption, or when the file
    /// system stays full.
    func run(
        _ path: String,
        _ arguments: [String],
        input: [UInt8] = [],
        capture: Bool = false,
        line: (String) -> Void = { _ in }
    ) throws(BuildError) -> Outcome {
        try interruption.check()
        var child = try ChildProcess(path, arguments, environment: environment, input: input, capture: capture)
        var lines = LineSplitter(limit: Self.lineLength)
        var tail: [String] = []
        var output: [UInt8] = []
        var stopAsked: Int64?
        var fullSince: Int64?
        var lookedForRoom = Self.milliseconds()
        var full: FileSystemRoom?
        var isKilled = false
        var noSpace: String?
        func take(_ text: String) {
            if tail.count == Self.tailLines { tail.removeFirst() }
            tail.append(text)
            if text.contains("No space left on device") { noSpace = noSpace ?? text }
            line(text)
        }
        var status: ToolStatus?
        while status == nil || child.isReadable {
            let (messages, captured) = child.read(orWakenBy: stopAsked == nil ? interruption.descriptor : -1)
            if output.count < Self.captureLimit { output += captured }
            lines.add(messages, take)
            if stopAsked == nil, interruption.signal != nil {
                stopAsked = Self.milliseconds()
                child.signal(SIGTERM)
            }
            if stopAsked == nil, Self.milliseconds() - lookedForRoom > 500 {
                lookedForRoom = Self.milliseconds()
                let room = fullFileSystem()
                fullSince = room == nil ? nil : fullSince ?? lookedForRoom
                if let room, let since = fullSince, lookedForRoom - since >= Self.fullPatience {
                    full = room
                    stopAsked = lookedForRoom
                    child.signal(SIGTERM)
                }
            }
            if let asked = stopAsked, !isKilled, Self.milliseconds() - asked > Self.patience {
                isKilled = true
                child.signal(SIGKILL)
            }
            if status == nil { status = child.poll() }
            // What it left running may hold the pipes for ever: once it is gone, only what is already there counts.
            if status != nil, !child.hasMore { break }
        }
        lines.finish(take)
        // The reason comes early, and many lines of consequences after it.
        if let noSpace, !tail.contains(noSpace) { tail.insert(noSpace, at: 0) }
        if let signal = interruption.signal {
            // Whatever the program has left running goes with it.
            child.signal(SIGKILL)
            throw .interrupted(signal: signal)
        }
        if let full {
            child.signal(SIGKILL)
            let name = path.split(separator: "/").last ?? ""
            throw .noSpace(phase: "running \(name)", room: full, needed: nil, lastLines: tail)
        }
        return Outcome(status: status ?? .exit(0), tail: tail, output: output)
    }

    static func milliseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// Cuts bytes into lines; a carriage return ends one too, as progress displays write them.
struct LineSplitter {
    private let limit: Int
    private var rest: [UInt8] = []

    /// Lines are cut at `limit` bytes.
    init(limit: Int) { self.limit = limit }

    mutating func add(_ bytes: [UInt8], _ line: (String) -> Void) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                finish(line)
            } else if rest.count < limit {
                rest.append(byte)
            }
        }
    }

    mutating func finish(_ line: (String) -> Void) {
        // Control characters of a tool's display have no business on ours.
        let text = String(decoding: rest, as: UTF8.self).filter { ($0.asciiValue ?? 32) >= 32 }
        rest.removeAll(keepingCapacity: true)
        if text.contains(where: { $0 != " " }) { line(text) }
    }
}
