import CLinux
import FileTree
import NFSServer
import NetworkTypes
import Testing

/// libnfs's programs against a server on loopback.
@Suite(
    "libnfs",
    .enabled(if: Fixture.isPossible, "needs root"),
    .enabled(if: Program.isThere("nfs-ls") && Program.isThere("nfs-cp"), "nfs-ls, nfs-cp are missing (libnfs-utils)"),
    .timeLimit(.minutes(5))
)
struct LibNFSTests {
    private func url(_ fixture: Fixture, _ name: String) -> String {
        let port = fixture.server.endpoint.port
        return "nfs://127.0.0.1\(fixture.directory)/\(name)?version=3&nfsport=\(port)&mountport=\(port)"
    }

    @Test("nfs-cp takes a file there and back")
    func copying() throws {
        let fixture = try Fixture()
        let local = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(local) }
        let data = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 5) }
        try Program.write(data, to: "\(local)/there")
        #expect(try Program.run("nfs-cp", "\(local)/there", url(fixture, "copy")) == 0)
        #expect(try Program.read("\(fixture.directory)/copy") == data)
        #expect(try Program.run("nfs-cp", url(fixture, "copy"), "\(local)/back") == 0)
        #expect(try Program.read("\(local)/back") == data)
    }

    @Test("nfs-ls lists what is there")
    func listing() throws {
        let fixture = try Fixture()
        let local = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(local) }
        for number in 0..<300 { try Program.write([], to: "\(fixture.directory)/file-\(number)") }
        #expect(try Program.run("nfs-ls", url(fixture, ""), output: "\(local)/list") == 0)
        let text = String(decoding: try Program.read("\(local)/list"), as: UTF8.self)
        let names = text.split(separator: "\n").compactMap { $0.split(separator: " ").last }
        #expect(Set(names).count == 300)
    }
}

/// Other people's programs, and files they leave.
enum Program {
    static func isThere(_ name: String) -> Bool {
        ["/usr/bin/", "/usr/local/bin/"].contains { unsafe access("\($0)\(name)", X_OK) == 0 }
    }

    /// Runs a program to its end; its exit status.
    static func run(_ words: String..., output: String = "/dev/null") throws -> CInt {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        _ = unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe []
        for word in words { unsafe arguments.append(strdup(word)) }
        unsafe arguments.append(nil)
        defer { for index in words.indices { unsafe free(arguments[index]) } }
        var process = pid_t()
        guard unsafe posix_spawnp(&process, words[0], &actions, nil, &arguments, nil) == 0 else {
            throw TestClient.Failure(what: "run \(words[0])")
        }
        var status: CInt = 0
        guard unsafe waitpid(process, &status, 0) == process, clinux_exited(status) != 0 else { return -1 }
        return clinux_exit_status(status)
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = unsafe clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        defer { close(descriptor) }
        guard unsafe CLinux.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw TestClient.Failure(what: "write \(path)")
        }
    }

    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = unsafe clinux_open(path, O_RDONLY, 0)
        guard descriptor >= 0 else { throw TestClient.Failure(what: "read \(path)") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 8 << 20)
        let count = unsafe CLinux.read(descriptor, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }
}
