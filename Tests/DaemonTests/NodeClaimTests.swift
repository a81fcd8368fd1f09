import BootModel
import BootModelConformance
import CLinux
import Dispatch
import Foundation
import Logging
import Synchronization
import Testing

@testable import Daemon

/// What is kept for a node is open, or being copied, never both.
@Suite struct NodeClaimTests {
    /// A clock whose every look is a minute later.
    private final class Minutes: BootModel.Clock {
        let time = Mutex<Int64>(0)
        func now() -> Timestamp {
            time.withLock {
                $0 += 60
                return Timestamp(seconds: $0)
            }
        }
    }

    private let node = NodeName(checked: "dora")

    @Test func whoHasSomethingOpenKeepsIt() throws {
        let claims = NodeClaims()
        var use: NodeClaims.Use? = try claims.use(node)
        #expect(throws: NodeClaims.isRunning(node, "restore")) {
            try claims.whileUnused(node, for: "restore") {}
        }
        try claims.whileUnused(NodeName(checked: "boots"), for: "restore") {}
        withExtendedLifetime(use) {}
        use = nil
        try claims.whileUnused(node, for: "restore") {
            #expect(throws: SetupError.self) { try claims.use(node) }
            #expect(throws: SetupError("a restore of node dora is under way: wait until that is done")) {
                try claims.whileUnused(node, for: "reset") {}
            }
            _ = try claims.use(NodeName(checked: "boots"))
        }
        _ = try claims.use(node)
        #expect(throws: CancellationError.self) {
            try claims.whileUnused(node, for: "reset") { throw CancellationError() }
        }
        _ = try claims.use(node)
    }

    @Test func whoComesMeanwhileWaits() throws {
        let claims = NodeClaims()
        let (begun, opened) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let isDone = Mutex(false)
        try claims.whileUnused(node, for: "snapshot") {
            Thread.detachNewThread { [node] in
                begun.signal()
                let use = try? claims.use(node, seconds: 60)
                #expect(use != nil)
                let done = isDone.withLock { $0 }
                #expect(done, "not before the end")
                opened.signal()
            }
            begun.wait()
            isDone.withLock { $0 = true }
        }
        #expect(opened.wait(timeout: .now() + 10) == .success)
    }

    @Test func aSnapshotTakesNothingThatIsOpen() throws {
        let state = StateDirectory(NSTemporaryDirectory() + "diskless-claims-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        try FileManager.default.createDirectory(atPath: "\(state.nodes)/dora", withIntermediateDirectories: true)
        try Data(count: 4096).write(to: URL(fileURLWithPath: state.volume(of: node)))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let claims = NodeClaims()
        // A session that has begun counts as connected a moment later.
        let coming = Mutex<NodeClaims.Use?>(nil)
        let keeper = NodeStorageKeeper(
            state: state,
            registry: InMemoryRegistry(),
            grants: GrantStore(directory: nil, logger: logger),
            trees: nil,
            claims: claims,
            connected: { [node] in
                #expect(throws: SetupError.self, "nobody opens it from the look until the end") { try claims.use(node) }
                return []
            },
            clock: Minutes(),
            logger: logger
        )
        coming.withLock { $0 = try? claims.use(node) }
        #expect(throws: SetupError.self) { try keeper.snapshot(node, label: "good") }
        coming.withLock { $0 = nil }
        try keeper.snapshot(node, label: "good")
        try keeper.restore(node, label: "good")
        _ = try claims.use(node)
    }
}
