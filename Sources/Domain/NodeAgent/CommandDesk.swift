public import BootModel

/// Keeps the commands that nodes have to carry out: pure state, the time is given.
///
/// A job is placed, taken by its node's agent, sends output and ends; one that nobody takes or ends in time ends by itself.
public struct CommandDesk: Sendable {
    /// What one node has to do.
    public struct Job: Hashable, Sendable {
        /// Its number, never used twice.
        public var id: UInt64
        /// Who has to do it.
        public var node: NodeName
        /// What.
        public var action: CommandOrder.Action
        /// The text for the shell.
        public var script: String
        /// For how many seconds.
        public var seconds: Int
        /// How many bytes of each output come back.
        public var outputLimit: Int
        /// Which order it belongs to.
        public var order: UInt64
        /// When it was placed.
        public var placed: Timestamp
        /// When the agent took it.
        public var taken: Timestamp?
        /// In which boot the agent took it.
        public var boot: BootIdentifier?
        /// How much came back of each output.
        public var received: [CommandOutput: Int] = [:]
    }

    /// How many jobs of one node may wait or run.
    public static let jobsOfOne = 16
    /// How many jobs there may be in all.
    public static let jobsInAll = 50_000
    /// For how many seconds a job waits to be taken.
    public static let patience: Double = 30
    /// How many seconds after its time a job is given up whose agent says nothing more.
    public static let grace: Double = 60

    private var jobs: [UInt64: Job] = [:]
    private var idsOfNode: [NodeName: [UInt64]] = [:]
    private var next: UInt64

    /// A desk without jobs; numbers begin after `first`, so that they differ from those before a restart.
    public init(first: UInt64 = 0) { next = first }

    /// How many jobs wait or run.
    public var count: Int { jobs.count }

    /// Places a job.
    ///
    /// Throws `CommandRefusal` when the node or the server has too much to do.
    public mutating func place(_ order: CommandOrder, of number: UInt64, on node: NodeName, now: Timestamp)
        throws(CommandRefusal)
    {
        guard idsOfNode[node]?.count ?? 0 < Self.jobsOfOne else {
            throw CommandRefusal("\(Self.jobsOfOne) commands wait or run there already: try again later")
        }
        guard jobs.count < Self.jobsInAll else {
            throw CommandRefusal("\(Self.jobsInAll) commands wait or run in all already: try again later")
        }
        next += 1
        jobs[next] = Job(
            id: next,
            node: node,
            action: order.action,
            script: order.script,
            seconds: order.seconds,
            outputLimit: order.outputLimit,
            order: number,
            placed: now
        )
        idsOfNode[node, default: []].append(next)
    }

    /// The jobs that a node's agent takes now, the oldest first.
    public mutating func take(for node: NodeName, boot: BootIdentifier, now: Timestamp) -> [Job] {
        var taken: [Job] = []
        for id in idsOfNode[node] ?? [] {
            guard var job = jobs[id], job.taken == nil else { continue }
            job.taken = now
            job.boot = boot
            jobs[id] = job
            taken.append(job)
        }
        return taken
    }

    /// Whether a node has something to take.
    public func hasWork(for node: NodeName) -> Bool {
        (idsOfNode[node] ?? []).contains { jobs[$0]?.taken == nil && jobs[$0] != nil }
    }

    /// The job of this number when it is the node's; nil when it is over or another's.
    public func job(_ id: UInt64, of node: NodeName) -> Job? { jobs[id].flatMap { $0.node == node ? $0 : nil } }

    /// What a piece of output is worth.
    public enum Piece: Hashable, Sendable {
        /// These bytes are new.
        case new([UInt8])
        /// It came before, or is more than was asked for.
        case known
        /// Something before it is missing, or nobody waits for it.
        case refused
    }

    /// Takes in a piece of output that begins at `offset`.
    public mutating func receive(
        _ bytes: [UInt8],
        _ output: CommandOutput,
        at offset: Int,
        of id: UInt64,
        from node: NodeName
    )
        -> Piece
    {
        guard var job = job(id, of: node), job.taken != nil else { return .refused }
        let known = job.received[output] ?? 0
        guard offset >= 0, offset <= known else { return .refused }
        // A repeated piece may have grown meanwhile.
        let new = bytes.dropFirst(known - offset).prefix(job.outputLimit - known)
        guard !new.isEmpty else { return .known }
        job.received[output] = known + new.count
        jobs[id] = job
        return .new(Array(new))
    }

    /// Ends a job; nil when it was over already or is another node's.
    public mutating func finish(_ id: UInt64, of node: NodeName) -> Job? {
        guard let job = job(id, of: node) else { return nil }
        remove(job)
        return job
    }

    /// Ends the jobs that an earlier boot of the node had taken: it has started again.
    public mutating func restarted(_ node: NodeName, boot: BootIdentifier) -> [Job] {
        let lost = (idsOfNode[node] ?? []).compactMap { jobs[$0] }.filter { $0.boot != nil && $0.boot != boot }
        for job in lost { remove(job) }
        return lost
    }

    /// Ends the jobs that nobody took or ended in time, and says why.
    public mutating func expire(now: Timestamp) -> [(job: Job, problem: String)] {
        var late: [(job: Job, problem: String)] = []
        for job in jobs.values {
            if let taken = job.taken {
                if now.seconds(since: taken) > Double(job.seconds) + Self.grace {
                    late.append((job, "its agent has not answered since it took the command"))
                }
            } else if now.seconds(since: job.placed) > Self.patience {
                late.append((job, "its agent did not ask for the command within \(Int(Self.patience)) s"))
            }
        }
        for (job, _) in late { remove(job) }
        return late
    }

    /// Forgets the jobs of an order that nobody waits for any more.
    public mutating func cancel(order: UInt64) {
        for job in jobs.values where job.order == order { remove(job) }
    }

    private mutating func remove(_ job: Job) {
        jobs[job.id] = nil
        idsOfNode[job.node]?.removeAll { $0 == job.id }
        if idsOfNode[job.node]?.isEmpty == true { idsOfNode[job.node] = nil }
    }
}

/// Why a node gets no command, in one line.
public struct CommandRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line.
    public var description: String
    /// From the line.
    public init(_ description: String) { self.description = description }
}
