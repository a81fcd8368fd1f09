import CLinux
import ImageBuilder

/// Shows a build on standard error: one line that changes on a terminal, plain lines elsewhere.
final class BuildDisplay {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var phase: (phase: BuildPhase, started: Int64)?

    /// Milliseconds of a clock that only goes forward.
    var now: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Shows what a build tells.
    func show(_ progress: BuildProgress) {
        switch progress {
        case .phase(let next):
            finish()
            phase = (next, now)
            if isTerminal { write("\(next.rawValue) …") }
        case .warning(let line): note("warning: \(line)")
        case .line(let line):
            guard let phase else { return }
            if isTerminal {
                let text = "\(phase.phase.rawValue) … \(line)"
                write("\r\u{1b}[K" + text.prefix(width - 1))
            } else if line.hasPrefix("I: ") || line.hasPrefix("W: ") || line.hasPrefix("E: ") {
                write("    \(line)\n")
            }
        }
    }

    /// Ends the step that is shown, with the time it took.
    func finish() {
        guard let phase else { return }
        self.phase = nil
        let text = "\(phase.phase.rawValue): \(Self.seconds(now - phase.started))\n"
        write(isTerminal ? "\r\u{1b}[K" + text : text)
    }

    /// Shows a line of its own.
    func note(_ line: String) {
        write((isTerminal ? "\r\u{1b}[K" : "") + line + "\n")
    }

    /// "12.3 s" from milliseconds.
    static func seconds(_ milliseconds: Int64) -> String { "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s" }

    private var width: Int {
        var size = winsize()
        guard unsafe clinux_ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
        return Int(size.ws_col)
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe CLinux.write(STDERR_FILENO, bytes, bytes.count)
    }
}
