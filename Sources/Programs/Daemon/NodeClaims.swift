import BootModel
import Dispatch
import Synchronization

/// What is kept for a node is either open, by the node, or wholly in the hands of who resets, copies or puts it back.
final class NodeClaims: Sendable {
    /// Something of a node's is open, or being opened, as long as this lives.
    final class Use: Sendable {
        private let node: NodeName
        private let claims: NodeClaims

        fileprivate init(_ node: NodeName, _ claims: NodeClaims) {
            self.node = node
            self.claims = claims
        }

        deinit { claims.ended(node) }
    }

    private struct Claim {
        var action: String
        var waiting: [DispatchSemaphore] = []
    }

    private struct State {
        var uses: [NodeName: Int] = [:]
        var claims: [NodeName: Claim] = [:]
    }

    private let state = Mutex(State())

    /// After how many seconds a node without power has lost its connections, and its agent's question has ended.
    private static let silence = 45

    /// Why what is kept for a node is not to be had.
    static func isRunning(_ node: NodeName, _ action: String) -> SetupError {
        SetupError(
            "node \(node) is running: switch it off before the \(action)"
                + " (when its power was cut it counts as off \(silence) s later)"
        )
    }

    /// Opens something of a node's; waits up to `seconds` for who has it.
    ///
    /// Throws one line that says what is done with it.
    func use(_ node: NodeName, seconds: Int = 0) throws(SetupError) -> Use {
        let deadline = DispatchTime.now() + .seconds(seconds)
        while true {
            let over = DispatchSemaphore(value: 0)
            let action = state.withLock { state -> String? in
                guard let action = state.claims[node]?.action else {
                    state.uses[node, default: 0] += 1
                    return nil
                }
                state.claims[node]?.waiting.append(over)
                return action
            }
            guard let action else { return Use(node, self) }
            guard seconds > 0, over.wait(timeout: deadline) == .success else {
                throw SetupError("a \(action) of node \(node) is under way: it can be used again when that is done")
            }
        }
    }

    /// Runs `body` while nothing of the node's is open, and nobody opens any of it.
    func whileUnused(_ node: NodeName, for action: String, _ body: () throws -> Void) throws {
        try state.withLock { state throws(SetupError) in
            if let other = state.claims[node]?.action {
                throw SetupError("a \(other) of node \(node) is under way: wait until that is done")
            }
            guard state.uses[node] == nil else { throw Self.isRunning(node, action) }
            state.claims[node] = Claim(action: action)
        }
        defer {
            let waiting = state.withLock { $0.claims.removeValue(forKey: node)?.waiting ?? [] }
            for one in waiting { one.signal() }
        }
        try body()
    }

    private func ended(_ node: NodeName) {
        state.withLock { state in
            let left = state.uses[node, default: 1] - 1
            state.uses[node] = left > 0 ? left : nil
        }
    }
}
