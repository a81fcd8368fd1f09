public import AdminAPI
public import BootModel
import HTTP1
import HTTPServer

/// Shows sets of overlay files, and what nodes get of them.
///
/// Implemented by the daemon.
public protocol FileShowing: Sendable {
    /// Every set.
    func sets() -> [FileSetSummary]
    /// The files of one set as they lie there, templates not filled in; nil when there is no such set.
    func files(ofSet name: String) throws -> [ShownFile]?
    /// The files of a node as they would be now, and as they were.
    func files(of node: Node) throws -> RenderedFiles
    /// The public keys of a node, made now if it has none yet.
    func keys(of node: Node) throws -> NodeKeys
}

extension AdminHandler {
    func fileSets() throws -> HTTPResponse { Self.json(.ok, try shown.sets()) }

    func fileSet(_ name: String) throws -> HTTPResponse {
        guard let files = try failing({ try shown.files(ofSet: name) }) else {
            throw AdminRefusal(.notFound, "there is no set of files \"\(name)\": see 'diskless files list'")
        }
        return Self.json(.ok, files)
    }

    func nodeFiles(_ name: NodeName) throws -> HTTPResponse {
        let node = try knownNode(name)
        return Self.json(.ok, try failing { try shown.files(of: node) })
    }

    func nodeKeys(_ name: NodeName) throws -> HTTPResponse {
        let node = try knownNode(name)
        return Self.json(.ok, try failing { try shown.keys(of: node) })
    }

    private var shown: any FileShowing {
        get throws {
            guard let files = services.files else { throw AdminRefusal.notFound("overlay files") }
            return files
        }
    }

    /// A node of the fleet, else one that only booted.
    private func knownNode(_ name: NodeName) throws -> Node {
        if let node = try services.registry.fleet().nodes[name] { return node }
        if let boot = try services.log.boots(of: name, limit: 1).first { return Node(name: name, macs: [boot.mac]) }
        throw AdminRefusal(.notFound, "there is no node \(name)")
    }

    /// What cannot be made is the asker's to mend: a template, a set that is not there.
    private func failing<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let refusal as AdminRefusal {
            throw refusal
        } catch {
            throw AdminRefusal(.unprocessableContent, "\(error)")
        }
    }
}
