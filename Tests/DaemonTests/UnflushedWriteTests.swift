import BlockStorage
import BootModel
import CLinux
import Foundation
import NBD
import Testing

@testable import Daemon

/// Which boots may go on with their disks after the power of the server was cut.
@Suite struct UnflushedWriteTests {
    private let folder: URL
    private let node = NodeName(checked: "dora")
    private let boot = BootIdentifier(random: 7, 8)

    init() throws {
        folder = URL(fileURLWithPath: NSTemporaryDirectory()).appending(path: "diskless-unflushed-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(count: 4096).write(to: folder.appending(path: "disk"))
    }

    /// The server after it was started anew, under this kernel.
    private func server(_ kernel: String) -> UnflushedWrites {
        UnflushedWrites(directory: folder.appending(path: "flags").path, kernel: kernel)
    }

    private func open(_ server: UnflushedWrites, _ boot: BootIdentifier) throws -> any BlockStorage {
        let disk = try FileStorage(path: folder.appending(path: "disk").path, writable: true)
        return try server.watched(disk, "volume", of: boot, node)
    }

    private func write(_ storage: any BlockStorage) throws {
        try unsafe [UInt8](repeating: 1, count: 512).withUnsafeBytes { unsafe try storage.write($0, at: 0) }
    }

    @Test func aPowerCutEndsTheBootThatWasWriting() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write(open(server("a"), boot))
        // Killed, the server goes on; the computer lost nothing.
        try write(open(server("a"), boot))
        let after = server("b")
        let refusal = try #require(throws: NBDExportRefusal.self) { try open(after, boot) }
        #expect(refusal.reason.hasPrefix("this server lost its power while dora wrote to its volume"), "\(refusal)")
        #expect(refusal.reason.hasSuffix("start dora again"))
        #expect(throws: NBDExportRefusal.self) { try open(after, boot) }
        // The next boot finds the disk as any computer does after its own power was cut.
        try write(open(after, BootIdentifier(random: 9, 10)))
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "flags/dora").path)
        #expect(left.count == 1, "what earlier boots had is forgotten")
    }

    @Test func anOrderlyEndLosesNothing() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let before = server("a")
        try write(open(before, boot))
        before.settle()
        try write(open(server("b"), boot))
    }

    @Test func whoWroteNothingGoesOn() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try open(server("a"), boot)
        _ = try open(server("b"), boot)
    }
}
