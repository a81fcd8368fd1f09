import BootModel
import CLinux
import Foundation
import Logging
import NetworkTypes
import Testing

@testable import Daemon

@Suite("Home directories on the server", .enabled(if: geteuid() == 0, "only root gives directories away"))
struct HomeDirectoryTests {
    private let homes = HomeDirectories(logger: Logger(label: "test"))
    private let folder = NSTemporaryDirectory() + "diskless-homes-" + UUID().uuidString

    private func status(_ path: String) -> (mode: mode_t, owner: uid_t)? {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? (status.st_mode & 0o7777, status.st_uid) : nil
    }

    private func user(_ name: String, _ uid: UInt32, home: String? = nil) throws -> User {
        User(name: try #require(UserName(name)), uid: uid, home: home.flatMap { NodePath($0) })
    }

    @Test func madeOnceForTheirOwners() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let directory = try #require(NodePath(folder))
        let home = try #require(NodePath("/home"))
        let mounts: [Mount] = [.nfs(directory, at: home, mode: .readWrite)]
        let users = [
            try user("anna", 1001), try user("ben", 1002, home: "/home/class/ben"),
            try user("out", 1003, home: "/srv/out"),
        ]
        homes.make(for: users, mounts: mounts)
        #expect(try #require(status(folder + "/anna")) == (0o700, 1001))
        #expect(try #require(status(folder + "/class")) == (0o755, 0))
        #expect(try #require(status(folder + "/class/ben")) == (0o700, 1002))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["anna", "class"])
        // What is there stays whose it is.
        homes.make(for: [try user("anna", 2000)], mounts: mounts)
        #expect(status(folder + "/anna")?.owner == 1001)
    }

    @Test func nowhereElse() throws {
        let outside = folder + "-outside"
        for path in [folder, outside] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        defer { for path in [folder, outside] { try? FileManager.default.removeItem(atPath: path) } }
        try FileManager.default.createSymbolicLink(atPath: folder + "/class", withDestinationPath: outside)
        let directory = try #require(NodePath(folder))
        let home = try #require(NodePath("/home"))
        let ben = [try user("ben", 1002, home: "/home/class/ben")]
        homes.make(for: ben, mounts: [.nfs(directory, at: home, mode: .readWrite)])
        #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
        // Nothing in what is read-only, another server's, or covered by memory.
        let anna = [try user("anna", 1001)]
        homes.make(for: anna, mounts: [.nfs(directory, at: home, mode: .readOnly)])
        homes.make(for: anna, mounts: [.nfs(directory, at: home, mode: .readWrite, server: IPv4Address("10.0.0.1"))])
        homes.make(
            for: anna,
            mounts: [
                .nfs(directory, at: home, mode: .readWrite), .tmpfs(at: try #require(NodePath("/home/anna"))),
            ]
        )
        homes.make(for: anna, mounts: [.nfs(directory, at: try #require(NodePath("/home/anna")), mode: .readWrite)])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["class"])
    }
}
