import AdminAPI
import BootModel
import FleetFile
import Foundation
import HTTP1
public import HTTPServer

/// Answers the admin API: HTTP with JSON, for the command line today and a dashboard later.
///
/// Over the Unix socket only root and the user that the server runs as are let in.
public struct AdminHandler: HTTPHandler {
    /// Largest body that is taken, in bytes: a fleet file.
    public static let bodyLimit = FleetDocument.limit

    let services: AdminServices

    /// A handler over the given services.
    public init(_ services: AdminServices) { self.services = services }

    /// The answer to a request; every failure becomes one clear line.
    public func respond(to request: HTTPRequest) -> HTTPResponse {
        do {
            try admit(request.peer)
            let response = try route(request)
            // Whoever was told of a change may ask for a new name, or start a new machine, at once.
            if request.method != .get { services.awaitFollowers() }
            return response
        } catch let refusal as AdminRefusal {
            return Self.json(refusal.status, refusal.problem, fields: refusal.fields)
        } catch let error as FleetFileError {
            return Self.json(.unprocessableContent, AdminProblem(error))
        } catch let error as FleetProblems {
            return Self.json(.conflict, AdminProblem(error.description))
        } catch let error as InvalidName {
            return Self.json(.badRequest, AdminProblem(error.description))
        } catch let error as DecodingError {
            return Self.json(.badRequest, AdminProblem(Self.explain(error)))
        } catch {
            return Self.json(.internalServerError, AdminProblem("the server failed: \(error)"))
        }
    }

    private func admit(_ peer: HTTPPeer) throws {
        guard case .process(_, let user) = peer, user == 0 || user == geteuid() else {
            throw AdminRefusal(.forbidden, "only root may use the admin API: run this as root, or with sudo")
        }
    }

    private func route(_ request: HTTPRequest) throws -> HTTPResponse {
        let parts = request.path.components
        guard parts.first == "v1" else { throw AdminRefusal.notFound(request.path.description) }
        switch (parts.dropFirst().first, parts.count) {
        case ("status", 2): return try only(.get, request) { try status() }
        case ("leases", 2): return try only(.get, request) { Self.json(.ok, try services.leases.leases()) }
        case ("boots", 2): return try only(.get, request) { try boots(request) }
        case ("explain", 2): return try only(.get, request) { try explain(request) }
        case ("watch", 2): return try only(.get, request) { try watch(request) }
        case ("fleet", 2):
            switch request.method {
            case .get:
                let withSecrets = request.head.queryItems["secrets"] == "1"
                let text = try services.registry.fleet().fleetFile(withSecrets: withSecrets)
                return .text(.ok, text, type: "application/yaml")
            case .post: return try apply(request)
            default: throw AdminRefusal.method("GET, POST")
            }
        case ("entries", 3), ("entries", 4): return try entries(request, parts)
        case ("commands", 2): return try only(.post, request) { try command(request) }
        case ("users", 2): return try only(.post, request) { try importUsers(request) }
        case ("backup", 2): return try only(.post, request) { Self.json(.ok, try services.backup.copy()) }
        case ("restore", 2): return try only(.post, request) { try restore(request) }
        case ("unknown", 2):
            return try only(.get, request) {
                let machines = services.unknownMachines(try services.registry.fleet())
                return Self.json(.ok, machines.map { UnknownMachineRecord($0) })
            }
        case ("nodes", 2):
            switch request.method {
            case .get: return try nodes(request)
            case .post: return try addNode(request)
            default: throw AdminRefusal.method("GET, POST")
            }
        case ("files", 2): return try only(.get, request) { try fileSets() }
        case ("files", 3): return try only(.get, request) { try fileSet(parts[2]) }
        case ("nodes", 4) where parts[3] == "files":
            return try only(.get, request) { try nodeFiles(NodeName(validating: parts[2])) }
        case ("nodes", 4) where parts[3] == "keys":
            return try only(.get, request) { try nodeKeys(NodeName(validating: parts[2])) }
        case ("nodes", 3):
            let name = try NodeName(validating: parts[2])
            switch request.method {
            case .get: return try node(name)
            case .delete: return try removeNode(name)
            default: throw AdminRefusal.method("GET, DELETE")
            }
        case ("storage", _): return try storage(request)
        default: throw AdminRefusal.notFound(request.path.description)
        }
    }

    private func only(_ method: HTTPMethod, _ request: HTTPRequest, _ body: () throws -> HTTPResponse) throws
        -> HTTPResponse
    {
        guard request.method == method else { throw AdminRefusal.method(method.rawValue) }
        return try body()
    }

    /// JSON with sorted keys and one line end, so that it can be compared.
    static func json(_ status: HTTPStatus, _ value: some Encodable, fields: [HTTPField] = []) -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            return .text(
                .internalServerError,
                "{\"error\":\"the reply cannot be encoded\",\"problems\":[]}",
                type: jsonType
            )
        }
        let type = HTTPField("Content-Type", jsonType)
        return HTTPResponse(status, fields: [type] + fields, body: .bytes(Array(data) + [0x0a]))
    }

    private static let jsonType = "application/json"

    /// The body as a value.
    static func decode<Value: Decodable>(_ request: HTTPRequest) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(request.body))
    }

    private static func explain(_ error: DecodingError) -> String {
        switch error {
        case .dataCorrupted(let context): context.debugDescription
        case .keyNotFound(let key, _): "the request lacks \"\(key.stringValue)\""
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
        @unknown default: "the request cannot be read: \(error)"
        }
    }
}

/// A request that is answered with a status of its own.
struct AdminRefusal: Error {
    var status: HTTPStatus
    var problem: AdminProblem
    var fields: [HTTPField] = []

    init(_ status: HTTPStatus, _ message: String) {
        self.status = status
        problem = AdminProblem(message)
    }

    static func notFound(_ path: String) -> AdminRefusal {
        AdminRefusal(.notFound, "the admin API has no \(path); client and server may be of different versions")
    }

    static func method(_ allowed: String) -> AdminRefusal {
        var refusal = AdminRefusal(.methodNotAllowed, "only \(allowed) here")
        refusal.fields = [HTTPField("Allow", allowed)]
        return refusal
    }
}

extension AdminProblem {
    /// From a fleet file's problems.
    init(_ error: FleetFileError) {
        self.init(
            error.description,
            problems: error.problems.map {
                Place(line: $0.position?.line, column: $0.position?.column, message: $0.message)
            }
        )
    }
}
