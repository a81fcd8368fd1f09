import CLinux

/// One thread that runs jobs in order, and lives until it is told to end.
///
/// A lab needs such threads because a network namespace belongs to a thread, and because the parent-death signal of a
/// child is sent when the *thread* that made it ends, not the process.
final class LabThread: Sendable {
    private struct Queue {
        var jobs: [@Sendable () -> Void] = []
        var ending = false
    }

    private let queue = Monitor(Queue())

    init() {
        let queue = queue
        startThread {
            while case .some(.run(let job)) = queue.wait(limit: nil, until: Self.next) { job() }
        }
    }

    private enum Step {
        case run(@Sendable () -> Void)
        case end
    }

    /// What was given before the end still runs.
    private static func next(_ queue: inout Queue) -> Step? {
        guard queue.jobs.isEmpty else { return .run(queue.jobs.removeFirst()) }
        return queue.ending ? .end : nil
    }

    /// Runs `job` on the thread and gives its result.
    func run<Result: Sendable>(_ job: @escaping @Sendable () throws -> Result) throws -> Result {
        let answer = Monitor<Swift.Result<Result, any Error>?>(nil)
        queue.update { queue in
            queue.jobs.append {
                let result = Swift.Result { try job() }
                answer.update { $0 = result }
            }
        }
        guard let result = answer.wait(limit: nil, until: { $0 }) else { throw LabError("the lab's thread ended") }
        return try result.get()
    }

    /// Ends the thread after the jobs it has.
    func end() { queue.update { $0.ending = true } }
}

/// Starts a detached thread with the body, all signals blocked in it so that they reach the program's own threads.
package func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
    var thread = pthread_t()
    let result = unsafe pthread_create(
        &thread,
        nil,
        { argument in
            guard let argument = unsafe argument else { return nil }
            let box = unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue()
            box.body()
            return nil
        },
        box
    )
    guard result == 0 else { return unsafe Unmanaged<Box>.fromOpaque(box).release() }
    pthread_detach(thread)
}
