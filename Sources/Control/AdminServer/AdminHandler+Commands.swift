import AdminAPI
import BootModel
import HTTP1
import HTTPServer
import NodeAgent

extension AdminHandler {
    /// Gives an order to running nodes; what comes back is one JSON object a line, and ends with the last node's outcome.
    func command(_ request: HTTPRequest) throws -> HTTPResponse {
        guard let commands = services.commands else { throw AdminRefusal.notFound(request.path.description) }
        let order: CommandOrder = try Self.decode(request)
        let fleet = try services.registry.fleet()
        for node in order.nodes where fleet.nodes[node] == nil && commands.condition(of: node) == nil {
            throw unknown(node, in: fleet)
        }
        let replies: any CommandReplies
        do throws(CommandRefusal) { replies = try commands.place(order) } catch {
            throw AdminRefusal(.unprocessableContent, error.description)
        }
        return HTTPResponse(
            .ok,
            fields: [HTTPField("Content-Type", "application/x-ndjson")],
            body: .stream { stream in
                defer { replies.cancel() }
                while stream.isOpen, !replies.isOver {
                    for news in replies.take(waitingSeconds: 1) {
                        guard case .bytes(let line) = Self.json(.ok, news).body else { continue }
                        try stream.send(line)
                    }
                }
            }
        )
    }
}
