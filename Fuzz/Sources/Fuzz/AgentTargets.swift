import BootModel
import NodeAgent

private let boots = [BootIdentifier(random: 1, 2), BootIdentifier(random: 3, 4)]
private let nodes = ["anna", "ben"].compactMap { NodeName($0) }

/// What an agent tells of its node is bounded, whatever it says.
func fuzzAgentReport(_ bytes: Span<UInt8>) {
    guard let boot = boots.first else { preconditionFailure("no boot") }
    let report = AgentReport(array(bytes), seen: Timestamp(microseconds: 0), boot: boot)
    let condition = report.condition
    for figure in [condition.uptime, condition.memory, condition.memoryAvailable, condition.root, condition.rootUsed] {
        precondition((0...AgentReport.largestFigure).contains(figure ?? 0), "a figure that cannot be reckoned with")
    }
    precondition((condition.load ?? 0).isFinite && (condition.load ?? 0) >= 0, "a load that is none")
    precondition((condition.kernel ?? "").utf8.count <= 64, "a kernel of any length")
    precondition(
        (condition.kernel ?? "").utf8.allSatisfy { $0 > 0x1f && $0 < 0x7f },
        "a kernel that writes on terminals"
    )
    precondition((report.accounts ?? "").count <= 64, "a digest of any length")
}

/// Whatever agents do in any order: no node gets another's job, output stays within its limit, nothing is left behind.
func fuzzCommandDesk(_ bytes: Span<UInt8>) {
    guard boots.count == 2, nodes.count == 2 else { preconditionFailure("no boots or nodes") }
    var desk = CommandDesk()
    var time: Int64 = 0
    var placed = 0
    var came: [UInt64: Int] = [:]
    var rest = array(bytes)[...]
    func next() -> Int { Int(rest.popFirst() ?? 0) }
    while !rest.isEmpty {
        let (what, node, id) = (next(), nodes[next() & 1], UInt64(next() & 31))
        let now = Timestamp(microseconds: time)
        switch what & 7 {
        case 0:
            let order = CommandOrder(nodes: [node], action: .run, command: ["x"], seconds: 1, outputLimit: 100)
            if (try? desk.place(order, of: id, on: node, now: now)) != nil { placed += 1 }
        case 1:
            let jobs = desk.take(for: node, boot: boots[next() & 1], now: now)
            precondition(jobs.allSatisfy { $0.node == node }, "a job of another node")
            precondition(desk.take(for: node, boot: boots[0], now: now).isEmpty, "a job was given twice")
        case 2:
            let piece = [UInt8](repeating: 0, count: next())
            if case .new(let new) = desk.receive(piece, .out, at: next(), of: id, from: node) {
                came[id, default: 0] += new.count
                precondition(came[id, default: 0] <= 100, "more output than was asked for")
                precondition(desk.job(id, of: node) != nil, "output of another node's job")
            }
        case 3: if desk.finish(id, of: node) != nil { precondition(desk.job(id, of: node) == nil, "it is still there") }
        case 4: _ = desk.restarted(node, boot: boots[next() & 1])
        case 5:
            time += Int64(next()) * 1_000_000
            _ = desk.expire(now: Timestamp(microseconds: time))
        case 6: desk.cancel(order: id)
        default: _ = desk.hasWork(for: node)
        }
        precondition(desk.count <= min(placed, 2 * CommandDesk.jobsOfOne), "jobs out of nothing")
    }
    for job in desk.expire(now: Timestamp(microseconds: time + 1_000_000_000)) { _ = job }
    precondition(desk.count == 0, "a job that never ends")
}
