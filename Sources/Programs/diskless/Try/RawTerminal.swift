import CLinux
import VirtualLab

/// The terminal, handing every key through until it is restored.
final class RawTerminal: Sendable {
    private let saved: Monitor<termios?>

    init() throws {
        var settings = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else { throw LabError("standard input is no terminal") }
        saved = Monitor(settings)
        unsafe cfmakeraw(&settings)
        unsafe tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    }

    /// Gives the terminal back as it was.
    func restore() {
        saved.update { saved in
            guard var settings = saved else { return }
            unsafe tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
            saved = nil
        }
    }

    /// Hands keys to `type` until Ctrl-A X; Ctrl-A Ctrl-A is Ctrl-A.
    func readKeys(_ type: ([UInt8]) -> Void) {
        let control: UInt8 = 1
        var escaped = false
        var buffer = [UInt8](repeating: 0, count: 1024)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if count < 0, clinux_errno() == EINTR { continue }
            guard count > 0 else { return }
            var keys: [UInt8] = []
            for key in buffer[..<count] {
                switch (escaped, key) {
                case (true, UInt8(ascii: "x")), (true, UInt8(ascii: "X")):
                    return
                case (true, control):
                    keys.append(control)
                    escaped = false
                case (true, _):
                    escaped = false
                case (false, control):
                    escaped = true
                default:
                    keys.append(key)
                }
            }
            if !keys.isEmpty { type(keys) }
        }
    }
}
