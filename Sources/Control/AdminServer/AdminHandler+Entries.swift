import AdminAPI
import BootModel
import FleetFile
import HTTP1
import HTTPServer

extension AdminHandler {
    /// The entries of one kind, and one of them: read, changed, removed.
    func entries(_ request: HTTPRequest, _ parts: [String]) throws -> HTTPResponse {
        guard let kind = FleetKind(rawValue: parts[2]) else { throw AdminRefusal.notFound(request.path.description) }
        let name = parts.count == 4 ? parts[3] : nil
        switch (request.method, name) {
        case (.get, nil):
            let fleet = try services.registry.fleet()
            return Self.json(.ok, fleet.names(of: kind).compactMap { Self.record(kind, $0, fleet) })
        case (.post, nil): return Self.json(.ok, try edit(kind, try Self.decode(request)))
        case (.get, let name?):
            let fleet = try services.registry.fleet()
            guard let record = Self.record(kind, name, fleet) else {
                throw AdminRefusal(.notFound, fleet.missing(kind, name).description)
            }
            return Self.json(.ok, record)
        case (.delete, let name?):
            try services.registry.update { fleet in
                do throws(FleetFileError) {
                    try fleet.remove(kind, name)
                } catch {
                    throw AdminRefusal(fleet.entry(kind, name) == nil ? .notFound : .conflict, error.description)
                }
            }
            return HTTPResponse(.noContent)
        default: throw AdminRefusal.method(name == nil ? "GET, POST" : "GET, DELETE")
        }
    }

    /// Adds and changes the users of a table: all rows, or none.
    func importUsers(_ request: HTTPRequest) throws -> HTTPResponse {
        guard let text = String(validating: request.body, as: UTF8.self) else {
            throw FleetFileError("the table is not UTF-8 text")
        }
        let document = try FleetDocument(parsingUserTable: text)
        let isDry = request.head.queryItems["dry-run"] == "1"
        return Self.json(.ok, try change(isDry: isDry) { try document.apply(to: &$0, prune: false) })
    }

    /// Makes the registry what a copy holds, and tells how the fleet changed.
    func restore(_ request: HTTPRequest) throws -> HTTPResponse {
        let copy: RegistryCopy = try Self.decode(request)
        let old = try services.registry.fleet()
        try services.backup.restore(copy)
        let changes = FleetChange.between(old, try services.registry.fleet())
        return Self.json(.ok, ApplyReply(applied: true, changes: changes.map(ApplyReply.Change.init)))
    }

    private func edit(_ kind: FleetKind, _ edit: EntryEdit) throws -> ApplyReply {
        guard let mode = FleetEditMode(rawValue: edit.mode) else {
            throw AdminRefusal(.badRequest, "mode \"\(edit.mode)\" is not one of add, change, either")
        }
        let changes = try edit.changes.map { change in
            guard let operation = FleetKeyChange.Operation(rawValue: change.operation) else {
                throw AdminRefusal(.badRequest, "operation \"\(change.operation)\" is not one of =, +=, -=")
            }
            return FleetKeyChange(key: change.key, operation: operation, value: change.value)
        }
        return try self.change(isDry: edit.isDry) { fleet in
            let before = fleet
            // One change after the other, so that a problem is told of the entry that it is about.
            for name in edit.names { _ = try fleet.edit(kind, name, changes, mode: mode) }
            return FleetChange.between(before, fleet)
        }
    }

    private static func record(_ kind: FleetKind, _ name: String, _ fleet: Fleet) -> EntryRecord? {
        fleet.entry(kind, name).map { EntryRecord(name: name, says: .keys($0)) }
    }
}
