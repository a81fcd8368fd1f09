import BootModel
import Foundation
import NodeAgent

/// What comes back from one order, on its way to who gave it.
final class CommandMailbox: CommandReplies {
    /// How many bytes of output may wait; agents keep the rest until there is room.
    static let limit = 8 << 20

    private struct State {
        var news: [CommandNews] = []
        var bytes = 0
        var pending: Int
        var isCancelled = false
    }

    private let condition = NSCondition()
    // Only touched while `condition` is held.
    nonisolated(unsafe) private var state: State
    private let cancelled: @Sendable () -> Void

    /// For an order to so many nodes; `cancelled` is called once nobody waits any more.
    init(nodes: Int, cancelled: @escaping @Sendable () -> Void) {
        unsafe state = State(pending: nodes)
        self.cancelled = cancelled
    }

    private func locked<Result>(_ body: (inout State) -> Result) -> Result {
        condition.lock()
        defer { condition.unlock() }
        return unsafe body(&state)
    }

    /// Whether another piece of output can be taken.
    var hasRoom: Bool { locked { $0.bytes < Self.limit } }

    func put(_ news: CommandNews) {
        locked { state in
            guard !state.isCancelled else { return }
            state.bytes += news.bytes?.count ?? 0
            if news.outcome != nil { state.pending -= 1 }
            state.news.append(news)
            condition.signal()
        }
    }

    func take(waitingSeconds seconds: Double) -> [CommandNews] {
        condition.lock()
        defer { condition.unlock() }
        let end = Date(timeIntervalSinceNow: seconds)
        while unsafe state.news.isEmpty && state.pending > 0, condition.wait(until: end) {}
        let taken = unsafe state.news
        unsafe state.news = []
        unsafe state.bytes = 0
        return taken
    }

    var isOver: Bool { locked { $0.pending <= 0 && $0.news.isEmpty } }

    func cancel() {
        locked { state in
            state.isCancelled = true
            state.news = []
        }
        cancelled()
    }
}
