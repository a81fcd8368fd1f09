import Foundation

/// A program of the server's own distribution, run to its end.
enum HostTool {
    /// Runs it; throws what it said, in one line, unless it ends with one of the codes that are fine.
    @discardableResult
    static func run(_ name: String, _ arguments: [String], fine: Set<Int32> = [0]) throws -> String {
        let places = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map { "\($0)/\(name)" }
        guard let path = places.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw SetupError("the program \(name) is not installed on this server")
        }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationReason == .exit, fine.contains(process.terminationStatus) else {
            let line = said.split(whereSeparator: \.isNewline).last ?? "it said nothing"
            throw SetupError("\(name) failed: \(line)")
        }
        return said
    }
}
