import AdminAPI
import AdminServer
import BootModel
import Digests
import Foundation
import NetworkTypes
import OverlayFiles

extension OverlayService: FileShowing {
    /// The longest content that is shown, in bytes.
    private static let shownLimit = 256 << 10

    func sets() -> [FileSetSummary] {
        library.names.compactMap { name in
            switch library.set(name) {
            case .directory(let set): FileSetSummary(name: name, place: set.path, summary: nil, parts: [])
            case .builtIn(let set):
                FileSetSummary(name: name, place: "built in", summary: set.summary, parts: set.parts)
            case nil: nil
            }
        }
    }

    func files(ofSet name: String) throws -> [ShownFile]? {
        let files: [OverlayFile]
        switch library.set(name) {
        case nil: return nil
        case .directory(let set): files = try set.sources()
        case .builtIn(let set):
            files = set.sources.map { source in
                var file = OverlayFile.text(source.path, source.text, permissions: source.permissions)
                file.source = "set \(name) (built in)"
                return file
            }
        }
        return files.map { shown($0, nil) }
    }

    func files(of node: Node) throws -> RenderedFiles {
        let now = try preview(of: node).files.map { shown($0, node.name) }
        return RenderedFiles(node: node.name.text, files: now, last: last.files(of: node.name))
    }

    func keys(of node: Node) throws -> NodeKeys {
        let identity = try identities.identity(of: node.name)
        let address = node.address ?? node.macs.lazy.compactMap { try? self.leaseOf($0) }.first
        let fleet = try boots.registry.fleet()
        let network = address.flatMap { fleet.network(containing: $0) }
        let full = network?.domain.map { "\(node.name).\($0)" }
        let names = [node.name.text, full, address?.description].compactMap(\.self)
        return NodeKeys(
            node: node.name.text,
            knownHosts: identity.knownHosts(names: names),
            sshfp: identity.sshfpRecords(name: full ?? node.name.text)
        )
    }

    /// A file as people may see it.
    func shown(_ file: OverlayFile, _ node: NodeName?) -> ShownFile {
        var kind = "file"
        var content: [UInt8] = []
        switch file.kind {
        case .file(let bytes): content = bytes
        case .directory: kind = "directory"
        case .link(let target):
            kind = "link"
            content = Array(target.utf8)
        }
        var text: String?
        if !file.isSecret, content.count <= Self.shownLimit, !content.contains(0), kind != "directory" {
            text = String(validating: content, as: UTF8.self)
        }
        return ShownFile(
            path: file.path,
            kind: kind,
            mode: String(file.permissions, radix: 8),
            owner: file.owner,
            group: file.group,
            size: file.size,
            source: file.source,
            isSecret: file.isSecret,
            text: text,
            digest: file.isOfOneBoot ? "of one boot" : digest(content, isSecret: file.isSecret, node)
        )
    }

    /// A secret's digest takes in the node's seed, so that nobody finds a password by trying.
    private func digest(_ content: [UInt8], isSecret: Bool, _ node: NodeName?) -> String {
        var bytes = content
        if isSecret {
            guard let node, let identity = try? identities.identity(of: node) else { return "" }
            bytes = identity.seed + content
        }
        return (try? SHA256Digest.of(bytes.span))?.description ?? ""
    }
}
