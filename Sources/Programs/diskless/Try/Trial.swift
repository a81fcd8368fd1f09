import AdminAPI
import Foundation
import VirtualLab

/// One machine being tried: its timeline as it is printed, and how it ends.
final class Trial: Sendable {
    /// How a trial ends.
    enum Ending: Sendable {
        /// The machine is up, or was left.
        case done
        /// Why it did not come up.
        case failure(String)
    }

    let machine: VirtualMachine
    private let lab: Lab
    private let interactive: Bool
    private let ending = Monitor<Ending?>(nil)
    private let partialLine = Monitor<[UInt8]>([])

    init(lab: Lab, machine: VirtualMachine, interactive: Bool) {
        (self.lab, self.machine, self.interactive) = (lab, machine, interactive)
    }

    /// Prints the server's events as they come, and ends the trial when the server does.
    func follow(_ server: TrialServer) throws {
        let watch = try server.watch()
        watch.output.follow { [self] bytes in
            let lines = partialLine.update { partial in
                partial += bytes
                let parts = partial.split(separator: 10, omittingEmptySubsequences: false)
                partial = parts.last.map(Array.init) ?? []
                return parts.dropLast().map(Array.init)
            }
            for line in lines { show(line) }
        }
        startThread { [self] in
            server.process.waitForExit(limit: nil)
            let last = server.process.output.lastLines(8).map { "  \($0)" }.joined(separator: "\n")
            end(.failure("the server ended (\(server.process.ending ?? "")); its last lines:\n\(last)"))
        }
    }

    /// Prints one line of our own; on a raw terminal it begins and ends on a line of its own.
    func say(_ text: String) {
        let bytes = Array((interactive ? "\r\n\u{1b}[36m\(text)\u{1b}[0m\r\n" : "\(text)\n").utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }

    /// Waits until the machine is up; the failure names the reason and has the console's last lines.
    func waitUntilUp(limit: Duration) -> Ending {
        endWhenOff(.failure("the machine turned itself off before it was up"))
        let ending = ending.wait(limit: limit) { $0 } ?? .failure("not up after \(limit.components.seconds) s")
        guard case .failure(let reason) = ending else { return ending }
        let console = machine.console.lastLines(15).map { "  \($0)" }.joined(separator: "\n")
        return .failure("\(reason)\nThe console's last lines:\n\(console)")
    }

    /// Gives the terminal to the machine's console until Ctrl-A X or the machine's power-off.
    func attachTerminal() throws -> Ending {
        let terminal = try RawTerminal()
        lab.atClose { terminal.restore() }
        machine.console.follow { bytes in
            _ = unsafe bytes.withUnsafeBytes { unsafe write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        }
        endWhenOff(.done)
        startThread { [self] in
            terminal.readKeys { self.machine.type(bytes: $0) }
            end(.done)
        }
        let result = ending.wait(limit: nil) { $0 } ?? .done
        terminal.restore()
        return result
    }

    private func endWhenOff(_ ending: Ending) {
        startThread { [self] in
            while (try? machine.waitUntilOff(limit: .seconds(3600))) == nil {}
            end(ending)
        }
    }

    private func end(_ value: Ending) { ending.update { $0 = $0 ?? value } }

    private func show(_ line: [UInt8]) {
        guard let event = try? JSONDecoder().decode(EventRecord.self, from: Data(line)) else { return }
        let seconds = event.offset.map(EventRecord.tenths) ?? "-"
        // A failure's text goes on with the kernel's last messages; the console has them.
        let text = event.text.split(whereSeparator: \.isNewline).first ?? ""
        say(String(repeating: " ", count: max(0, 7 - seconds.count)) + "\(seconds) s  \(text)")
        guard !interactive else { return }
        if event.kind == "up" { end(.done) }
        if event.kind == "failed" {
            let reason = event.detail?.split(whereSeparator: \.isNewline).first ?? ""
            end(.failure("the machine says that it cannot go on: \(reason)"))
        }
    }
}
