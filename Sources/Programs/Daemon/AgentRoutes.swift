import BootModel
import HTTP1
import HTTPServer
import NetworkTypes
import NodeAgent

/// What agents ask over boot HTTP, below `/node/NAME/`, with their boot's token as `Authorization: Bearer`.
struct AgentRoutes: Sendable {
    let agents: AgentService
    let peers: PeerDirectory

    func respond(to request: HTTPRequest) -> HTTPResponse {
        let parts = request.path.components
        guard parts.count >= 3, case .network(let peer) = request.peer,
            let agent = agent(request, parts[1], peer.address)
        else {
            return .text(.forbidden, "this token is not that of the node's boot under way")
        }
        let rest = Array(parts.dropFirst(2))
        switch (request.method, rest.first, rest.count) {
        case (.post, "ask"?, 1):
            switch agents.work(for: agent, report: request.body) {
            case .now(let lines): return .text(.ok, lines)
            case .later(let wait):
                // A stream waits on a thread that is counted for nobody else; its head has left before it waits.
                return HTTPResponse(.ok, body: .stream { stream in try stream.send(wait { stream.isBroken }) })
            }
        case (.get, "users"?, 1):
            guard let accounts = try? agents.deliverAccounts(to: agent.mac) else {
                return .text(.internalServerError, "the server cannot read its registry")
            }
            return .text(.ok, accounts.text)
        case (.get, "command"?, 2):
            guard let id = UInt64(rest[1]), let script = agents.script(of: id, for: agent) else { return Self.over }
            return .text(.ok, script)
        case (.post, "output"?, 4):
            guard let id = UInt64(rest[1]), let output = CommandOutput(rawValue: rest[2]), let offset = Int(rest[3])
            else {
                return .text(.badRequest, "that is no piece of output")
            }
            switch agents.receive(request.body, output, at: offset, of: id, from: agent) {
            case .taken: return HTTPResponse(.noContent)
            case .later: return .text(.serviceUnavailable, "too much output waits: try again")
            case .over: return Self.over
            }
        case (.post, "done"?, 2):
            guard let id = UInt64(rest[1]), agents.finish(id, from: agent, result: request.body) else {
                return Self.over
            }
            return HTTPResponse(.noContent)
        default: return .text(.notFound, "there is nothing of that name here")
        }
    }

    private static let over = HTTPResponse.text(.notFound, "nobody waits for this")

    private func agent(_ request: HTTPRequest, _ name: String, _ address: IPv4Address) -> AgentService.Agent? {
        guard let field = request.head.value(of: "authorization"), field.hasPrefix("Bearer "),
            let agent = agents.agent(named: name, token: String(field.dropFirst(7)))
        else { return nil }
        // A token that was carried to another machine is worth nothing there.
        let holder = peers.mac(of: address)
        return holder == nil || holder == agent.mac ? agent : nil
    }
}
