import CLinux
import Foundation

/// Runs tar, which every Linux has.
enum Archive {
    /// Runs it to its end.
    ///
    /// Throws `ArchiveFailure` with what it said.
    static func tar(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar"] + arguments
        let errors = Pipe()
        process.standardError = errors
        do {
            try process.run()
        } catch {
            throw ArchiveFailure(description: "tar cannot be run: \(error.localizedDescription)")
        }
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        // 1: a file changed while it was read, as a log may.
        guard process.terminationStatus <= 1, process.terminationReason == .exit else {
            let text = String(decoding: said, as: UTF8.self).split(separator: "\n").first ?? "it failed"
            throw ArchiveFailure(description: "\(text)")
        }
    }
}

/// What tar said.
struct ArchiveFailure: Error, CustomStringConvertible {
    let description: String
}
