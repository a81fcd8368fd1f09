import CLinux
import Testing

/// libnbd 1.20 and later, the first clients that speak extended headers (`scripts/newer-libnbd` lays them there).
@Suite(.boundedWait) struct NBDExtendedHeaderMatrixTests {
    /// More than 32 bits can say: a hole of that length takes one extent.
    static let size = 6 << 30
    let files: TemporaryFiles

    init() throws { files = try TemporaryFiles() }

    private func run(_ program: String, _ arguments: String...) throws -> String {
        let outcome = try NBDClientProgram.run(["build/libnbd/bin/" + program] + arguments, in: files)
        #expect(outcome.status == 0, "\(program): \(outcome.output)")
        return outcome.output
    }

    @Test func longExtentsAndCopiesBothWays() throws {
        let image = try files.image("image", size: Self.size, offset: 100 << 20, count: 20 << 20)
        let target = try files.image("target", size: Self.size, offset: 1, count: 1_000_000)
        for (file, flags) in [(target, ["--writable"]), (image, ["--cow", files.path("layer")])] {
            let server = try NBDServerProcess([file] + flags, in: files)
            #expect(try run("nbdinfo", server.url).contains("using extended packets"))
            if file == image {
                let map = try run("nbdinfo", "--map", server.url).split(separator: "\n")
                #expect(map.map { $0.split(separator: " ").last } == ["hole,zero", "data", "hole,zero"], "\(map)")
                #expect(map.last?.contains(" \(Self.size - (120 << 20)) ") == true, "\(map)")
                let copy = files.path("copy")
                _ = try run("nbdcopy", server.url, copy)
                let same = try NBDClientProgram.run(["cmp", copy, image], in: files)
                #expect(same.status == 0, "\(same.output)")
            } else {
                _ = try run("nbdcopy", "--flush", image, server.url)
                let same = try NBDClientProgram.run(["cmp", file, image], in: files)
                #expect(same.status == 0, "\(same.output)")
            }
        }
    }
}
