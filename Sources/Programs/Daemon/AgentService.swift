import BootModel
import Digests
import Dispatch
import Logging
import NetworkTypes
import NodeAgent
import Synchronization

/// Keeps in touch with the agents of running nodes: tokens, conditions, accounts, commands.
final class AgentService: NodeCommanding {
    /// An agent that has shown its token.
    struct Agent: Hashable {
        /// The name that its boot has.
        var node: NodeName
        var mac: MACAddress
        var boot: BootIdentifier
    }

    private struct State {
        var desk: CommandDesk
        var mailboxes: [UInt64: CommandMailbox] = [:]
        var conditions: [NodeName: NodeCondition] = [:]
        /// The questions that wait, one a node at most.
        var waiting: [NodeName: DispatchSemaphore] = [:]
        /// Until when each node counts as running without another word of its agent (``AgentService/runningNodes``).
        var runningUntil: [NodeName: Timestamp] = [:]
        var order: UInt64 = 0
        /// The tokens of boots that have not begun to run, for a loader that asks again.
        var tokens: [MACAddress: (boot: BootIdentifier, token: String)] = [:]
        var isStopped = false
    }

    /// How many questions may wait at a time: each holds a thread and a connection.
    ///
    /// More are told to come back.
    private static let waitingLimit = 512
    /// For how many seconds a question waits.
    private static let questionSeconds = 50.0
    /// After how many seconds without a word an agent counts as gone.
    private static let silence = 120.0
    /// For how many seconds a node counts as running after its agent's last word, while no question of it waits.
    ///
    /// Longer than the pause that an agent is told to make.
    private static let runningSeconds = 25.0
    /// How often it is looked whether the asker of a waiting question is still there, in seconds.
    private static let lookSeconds = 5.0

    let homes: HomeDirectories
    private let boots: BootService
    private let tokens: any AgentTokenStore
    private let clock: any BootModel.Clock
    private let logger: Logger
    private let state: Mutex<State>
    private let observation = Mutex<(any Observation)?>(nil)
    private let expiring = Mutex<Repetition?>(nil)

    init(boots: BootService, tokens: any AgentTokenStore, clock: any BootModel.Clock, logger: Logger) {
        self.boots = boots
        homes = HomeDirectories(logger: logger)
        self.tokens = tokens
        self.clock = clock
        self.logger = logger
        // Numbers go on after those of before a restart: an agent may still work on one of them.
        state = Mutex(State(desk: CommandDesk(first: UInt64(max(0, clock.now().seconds)) << 20)))
    }

    /// Begins to follow the fleet: accounts that change are told to running nodes.
    func start() {
        let observed = boots.registry.observe { [weak self] _ in self?.wakeAll() }
        observation.withLock { $0 = observed }
        let repetition = Repetition("commands", everySeconds: 1) { [weak self] in self?.expire() }
        expiring.withLock { $0 = repetition }
    }

    func stop() {
        observation.withLock { $0 }?.cancel()
        expiring.withLock { $0 }?.cancel()
        state.withLock { $0.isStopped = true }
        wakeAll()
    }

    private func wakeAll() {
        for waiting in state.withLock({ Array($0.waiting.values) }) { waiting.signal() }
    }

    // MARK: Tokens

    /// The token of a boot that is about to begin; the same when it is asked for again by the same server process.
    func token(for boot: BootIdentifier, mac: MACAddress) throws -> String {
        if let known = state.withLock({ $0.tokens[mac] }), known.boot == boot { return known.token }
        var generator = SystemRandomNumberGenerator()
        let token = BootIdentifier.random(using: &generator).text + BootIdentifier.random(using: &generator).text
        try tokens.keepToken(digest: try Self.digest(token), boot: boot, mac: mac)
        state.withLock { state in
            // Whoever makes up hardware addresses must not fill the memory.
            if state.tokens.count >= 20_000 { state.tokens.removeAll() }
            state.tokens[mac] = (boot, token)
        }
        return token
    }

    private static func digest(_ text: String) throws -> String {
        var hasher = try SHA256Hasher()
        try hasher.update(Array(text.utf8).span)
        return try hasher.finish().hex
    }

    /// Who shows this token; nil when it is not of that node's boot under way.
    func agent(named name: String, token: String) -> Agent? {
        guard (1...256).contains(token.utf8.count), let digest = try? Self.digest(token),
            let owner = try? tokens.tokenOwner(digest: digest), let boot = boots.boot(of: owner.mac),
            boot.id == owner.boot, boot.node.text == name
        else { return nil }
        return Agent(node: boot.node, mac: owner.mac, boot: boot.id)
    }

    // MARK: Accounts

    /// The accounts of a node as the fleet says now.
    func accounts(of mac: MACAddress) throws -> AccountFile { AccountFile(try people(of: mac).users) }

    /// The same for a node that takes them: their homes are there then.
    func deliverAccounts(to mac: MACAddress) throws -> AccountFile {
        let (users, mounts) = try people(of: mac)
        homes.make(for: users, mounts: mounts)
        return AccountFile(users)
    }

    private func people(of mac: MACAddress) throws -> (users: [User], mounts: [Mount]) {
        let fleet = try boots.registry.fleet()
        let node = boots.identify(NodeRequest(mac: mac, stage: .ipxe([]))).node
        let facts = boots.boot(of: mac)?.facts ?? MachineFacts()
        let settings = fleet.effectiveSettings(for: node, machine: facts)
        return (fleet.users(of: settings), settings.mounts.value)
    }

    // MARK: Questions

    /// What comes of an agent's question.
    enum Work {
        /// What it shall do, one line each.
        case now(String)
        /// Nothing yet: the closure waits until there is something, for some time at most; it asks now and then whether
        /// the agent is gone.
        case later(@Sendable (_ isGone: () -> Bool) -> String)
    }

    /// What an agent shall do.
    func work(for agent: Agent, report body: [UInt8]) -> Work {
        let report = AgentReport(body, seen: clock.now(), boot: agent.boot)
        let semaphore = DispatchSemaphore(value: 0)
        let admitted = state.withLock { state in
            heard(report.condition, agent, &state)
            // A question that another of the same node waits for is one whose asker is gone.
            state.waiting[agent.node]?.signal()
            guard state.waiting[agent.node] != nil || state.waiting.count < Self.waitingLimit, !state.isStopped else {
                return false
            }
            state.waiting[agent.node] = semaphore
            return true
        }
        let lines = tasks(for: agent, report, semaphore)
        guard lines.isEmpty, admitted else {
            leave(agent, semaphore)
            return .now(lines.isEmpty ? "pause 10\n" : lines)
        }
        return .later { [self] isGone in
            var wasGone = false
            defer { leave(agent, semaphore, isGone: wasGone) }
            let end = DispatchTime.now() + Self.questionSeconds
            while true {
                guard semaphore.wait(timeout: min(end, .now() + Self.lookSeconds)) == .success else {
                    wasGone = isGone()
                    guard !wasGone, DispatchTime.now() < end else { break }
                    continue
                }
                let goesOn = state.withLock { $0.waiting[agent.node] === semaphore && !$0.isStopped }
                guard goesOn else { break }
                let lines = tasks(for: agent, report, semaphore)
                if !lines.isEmpty { return lines }
            }
            return ""
        }
    }

    private func tasks(for agent: Agent, _ report: AgentReport, _ semaphore: DispatchSemaphore) -> String {
        let lines = orders(for: agent, semaphore: semaphore)
        guard let digest = try? Self.digest(accounts(of: agent.mac).text), digest != report.accounts else {
            return lines
        }
        return lines + "users\n"
    }

    private func leave(_ agent: Agent, _ semaphore: DispatchSemaphore, isGone: Bool = false) {
        let now = clock.now()
        state.withLock { state in
            guard state.waiting[agent.node] === semaphore else { return }
            state.waiting[agent.node] = nil
            state.runningUntil[agent.node] = isGone ? nil : now.advanced(bySeconds: Self.runningSeconds)
        }
    }

    /// The nodes whose agents are there: a question of theirs waits, or they asked a short time ago.
    ///
    /// A node without power answers no keepalive probes, so that its waiting question ends within about 40 s.
    var runningNodes: Set<NodeName> {
        let now = clock.now()
        return state.withLock { state in
            state.runningUntil = state.runningUntil.filter { $0.value > now }
            return Set(state.runningUntil.keys).union(state.waiting.keys)
        }
    }

    private func heard(_ condition: NodeCondition, _ agent: Agent, _ state: inout State) {
        state.conditions[agent.node] = condition
        state.runningUntil[agent.node] = condition.seen.advanced(bySeconds: Self.runningSeconds)
        state.conditions[agent.node]?.image = boots.boot(agent.boot)?.image
        for job in state.desk.restarted(agent.node, boot: agent.boot) {
            tell(job, CommandOutcome(problem: "the node started again before the command had ended"), &state)
        }
    }

    private func orders(for agent: Agent, semaphore: DispatchSemaphore) -> String {
        state.withLock { state in
            // Of two questions of one node only the newer may take work: nobody reads the answer to the other.
            if let newest = state.waiting[agent.node], newest !== semaphore { return "" }
            return state.desk.take(for: agent.node, boot: agent.boot, now: clock.now())
                .map { job in
                    switch job.action {
                    case .run: "run \(job.id) \(job.seconds) \(job.outputLimit)\n"
                    case .reboot, .powerOff: "\(job.action.rawValue) \(job.id)\n"
                    }
                }
                .joined()
        }
    }

    /// The text of a command; nil when it is over or another node's.
    func script(of id: UInt64, for agent: Agent) -> String? {
        state.withLock { $0.desk.job(id, of: agent.node)?.script }
    }

    /// What became of a piece of output.
    enum Reception {
        case taken
        /// There is no room now: the agent tries again.
        case later
        /// Nobody waits for it.
        case over
    }

    func receive(_ bytes: [UInt8], _ output: CommandOutput, at offset: Int, of id: UInt64, from agent: Agent)
        -> Reception
    {
        state.withLock { state in
            guard let job = state.desk.job(id, of: agent.node), let mailbox = state.mailboxes[job.order] else {
                return .over
            }
            guard mailbox.hasRoom else { return .later }
            switch state.desk.receive(bytes, output, at: offset, of: id, from: agent.node) {
            case .new(let bytes):
                mailbox.put(CommandNews(agent.node, output, bytes))
                return .taken
            case .known: return .taken
            case .refused: return .over
            }
        }
    }

    /// A command has ended: `status N` or `late SECONDS`, and `cut` when there was more output.
    func finish(_ id: UInt64, from agent: Agent, result: [UInt8]) -> Bool {
        var outcome = CommandOutcome()
        for line in String(decoding: result.prefix(256), as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            switch (words.first, words.dropFirst().first.flatMap { Int($0) }) {
            case ("status"?, let status?): outcome.status = status & 0xff
            case ("late"?, let seconds?): outcome.problem = "it was ended after \(seconds) s; --timeout gives more"
            case ("cut"?, _): outcome.isCut = true
            default: break
            }
        }
        if outcome.status == nil, outcome.problem == nil { outcome.problem = "the agent did not say how it ended" }
        return state.withLock { [outcome] state in
            guard let job = state.desk.finish(id, of: agent.node) else { return false }
            tell(job, outcome, &state)
            return true
        }
    }

    private func tell(_ job: CommandDesk.Job, _ outcome: CommandOutcome, _ state: inout State) {
        state.mailboxes[job.order]?.put(CommandNews(job.node, outcome))
    }

    private func expire() {
        state.withLock { state in
            for (job, problem) in state.desk.expire(now: clock.now()) {
                tell(job, CommandOutcome(problem: problem), &state)
            }
        }
    }

    // MARK: Orders

    func condition(of node: NodeName) -> NodeCondition? { state.withLock { $0.conditions[node] } }

    func place(_ order: CommandOrder) throws(CommandRefusal) -> any CommandReplies {
        if let problem = order.problem { throw CommandRefusal(problem) }
        let now = clock.now()
        let nodes = order.nodes.reduce(into: [NodeName]()) { nodes, node in
            if nodes.last != node { nodes.append(node) }
        }
        let number = state.withLock { state in
            state.order += 1
            return state.order
        }
        let mailbox = CommandMailbox(nodes: nodes.count) { [weak self] in self?.forget(order: number) }
        state.withLock { state in
            state.mailboxes[number] = mailbox
            for node in nodes {
                do throws(CommandRefusal) {
                    try reachable(node, state, now)
                    try state.desk.place(order, of: number, on: node, now: now)
                    state.waiting[node]?.signal()
                } catch {
                    mailbox.put(CommandNews(node, CommandOutcome(problem: error.description)))
                }
            }
        }
        return mailbox
    }

    private func reachable(_ node: NodeName, _ state: borrowing State, _ now: Timestamp) throws(CommandRefusal) {
        guard let condition = state.conditions[node] else {
            throw CommandRefusal("no agent of it was heard since this server started: it is off, or booted without one")
        }
        let silence = now.seconds(since: condition.seen)
        guard silence < Self.silence else {
            throw CommandRefusal("its agent was last heard \(Int(silence)) s ago: it is off or cut off")
        }
    }

    private func forget(order: UInt64) {
        state.withLock { state in
            state.desk.cancel(order: order)
            state.mailboxes[order] = nil
        }
    }
}
