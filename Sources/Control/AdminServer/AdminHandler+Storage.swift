import AdminAPI
import BootModel
import HTTP1
import HTTPServer

extension AdminHandler {
    /// What is kept for nodes, and changes of it: `/v1/storage[/NODE[/ACTION/VALUE]]`.
    func storage(_ request: HTTPRequest) throws -> HTTPResponse {
        guard let keeper = services.storage else {
            throw AdminRefusal(.serviceUnavailable, "this server keeps nothing for nodes: see its log at the start")
        }
        let parts = request.path.components
        switch (request.method, parts.count) {
        case (.get, 2): return Self.json(.ok, try keeper.storage())
        case (.get, 3): return Self.json(.ok, try keeper.storage(of: try NodeName(validating: parts[2])))
        case (.post, 5):
            let node = try NodeName(validating: parts[2])
            do { try change(keeper, node, parts[3], parts[4], request) } catch let refusal as AdminRefusal {
                throw refusal
            } catch {
                throw AdminRefusal(.conflict, "\(error)")
            }
            return Self.json(.ok, try keeper.storage(of: node))
        default: throw AdminRefusal.method("GET, POST")
        }
    }

    private func change(
        _ keeper: any NodeStorageKeeping,
        _ node: NodeName,
        _ action: String,
        _ value: String,
        _ request: HTTPRequest
    ) throws {
        let isLabel =
            (1...64).contains(value.utf8.count) && !value.hasPrefix(".")
            && value.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_.:".unicodeScalars.contains($0))
            }
        guard isLabel else {
            throw AdminRefusal(.badRequest, "\"\(value)\" is not a label: use letters, digits, dashes and dots")
        }
        switch action {
        case "reset":
            guard let what = StorageReset(rawValue: value) else {
                throw AdminRefusal(.badRequest, "\"\(value)\" is none of state, root, all")
            }
            try keeper.reset(node, what)
        case "snapshot": try keeper.snapshot(node, label: value)
        case "restore": try keeper.restore(node, label: value)
        case "drop": try keeper.dropSnapshot(node, label: value)
        default: throw AdminRefusal.notFound(request.path.description)
        }
    }
}
