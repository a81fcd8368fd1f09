import CLinux
import FileTree
import Foundation
import Logging
import NFS3
import NFS4
import NFSServer
import NetworkTypes
import ONCRPC
import Synchronization
import Testing
import XDR

/// Who is asked for exports has the rights of the server, whoever calls.
@Suite("Rights of what connections ask", .enabled(if: Fixture.isPossible, "needs root"))
struct OwnRightsTests {
    /// The rights of a thread, as the kernel shows them, by the names of /proc/PID/status.
    private struct Rights: Hashable, CustomStringConvertible {
        var description: String

        /// Of a thread of this process; nil when it is gone.
        init?(thread: String) {
            guard let text = try? String(contentsOfFile: "/proc/\(thread)/status", encoding: .utf8) else { return nil }
            let told = text.split(separator: "\n").filter { line in
                ["Uid:", "Gid:", "Groups:", "Umask:", "CapEff:", "CapPrm:"].contains { line.hasPrefix($0) }
            }
            description = told.joined(separator: " ")
        }
    }

    /// Notes with which rights it is asked.
    private final class Asked: NFSExportSource {
        let export: NFSExport
        let seen = Mutex<[(question: String, rights: Rights?)]>([])
        let hasEnded = DispatchSemaphore(value: 0)
        private let number = Mutex<UInt64>(0)
        init(_ export: NFSExport) { self.export = export }

        /// Of the asking thread: what it starts, workers of Dispatch and of tasks too, inherits these.
        private func note(_ question: String) {
            seen.withLock { $0.append((question, Rights(thread: "thread-self"))) }
        }

        // Every call asks again.
        var revision: UInt64 {
            number.withLock {
                $0 += 1
                return $0
            }
        }
        func exports(for peer: Endpoint) -> [NFSListedExport] {
            note("exports")
            return [NFSListedExport(path: export.path, identity: export.tree.identity)]
        }
        func export(at path: String, for peer: Endpoint, opens: Bool) -> NFSExport? {
            note("export at path")
            return path == export.path ? export : nil
        }
        func export(identity: UInt64, for peer: Endpoint) -> NFSExport? {
            note("export")
            return identity == export.tree.identity ? export : nil
        }
        func mounted(_ path: String, by peer: Endpoint) { note("mounted") }
        func refused(_ path: String, to peer: Endpoint) { note("refused") }
        func refused(identity: UInt64, to peer: Endpoint) { note("refused handle") }
        func connected(_ peer: Endpoint) { note("connected") }
        func disconnected(_ peer: Endpoint) {
            note("disconnected")
            hasEnded.signal()
        }
    }

    @Test("Whoever called last, the source is asked with the rights of who made the server")
    func source() throws {
        // Not the process's: other tests give this thread other rights.
        let own = try #require(Rights(thread: "thread-self"))
        let directory = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(directory) }
        let key = try #require(HandleKey(bytes: Array(0..<16)))
        let cache = ObjectCache(capacity: 64)
        let tree = try FileTree(path: directory, identity: 9, key: key, cache: cache)
        let asked = Asked(NFSExport(path: directory, tree: tree, isWritable: true, squash: SquashRule(.none)))
        var logger = Logger(label: "nfs")
        logger.logLevel = .critical
        let server = try NFSServer(
            listen: Endpoint(IPv4Address(value: 0x7f00_0001), 0),
            source: asked,
            cache: cache,
            logger: logger
        )
        try server.start()
        defer { server.stop(seconds: 1) }
        do {
            let client = try TestClient(server.endpoint)
            let root = try Fixture.mount(client, directory)
            client.credential = RPCSystemCredential(machine: [0x61], user: 1000, group: 1000, groups: [44])
            let session = try TestSession(client, "node")
            // Each question comes when a call of the user 1000 was the last one.
            for _ in 0..<2 {
                #expect(try client.nfs(.getAttributes) { root.encode(into: &$0) }.status == .ok)
                #expect(
                    try client.nfs(.access) { (writer: inout XDRWriter) in
                        root.encode(into: &writer)
                        writer.write(0x3f as UInt32)
                    }.status == .ok
                )
                _ = try client.results(Mount3.program, Mount3.version, 5)
                _ = try Fixture.mount(client, directory)
                _ = try client.results(Mount3.program, Mount3.version, 1) { $0.writeOpaque(Array("/none".utf8)) }
                for path in [directory, "/none"] {
                    let count = UInt32(path.split(separator: "/").count) + 1
                    _ = try session.send(count) { _ = TestSession.walk(path, &$0) }
                }
            }
        }
        #expect(asked.hasEnded.wait(timeout: .now() + 10) == .success)
        let seen = asked.seen.withLock(\.self)
        #expect(
            Set(seen.map(\.question)) == [
                "exports", "export at path", "export", "mounted", "refused", "connected", "disconnected",
            ]
        )
        for (question, rights) in seen { #expect(rights == own, "\(question)") }
    }
}
