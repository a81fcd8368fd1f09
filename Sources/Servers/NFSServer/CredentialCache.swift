import CLinux
import FileTree
import NFS4
import NetworkTypes
import ONCRPC
import XDR

/// An export in the eyes of one caller.
///
/// An object, for it is handed on many times in a call: each copy counts one reference instead of one for each of its parts.
final class ExportContext: Sendable {
    let export: NFSExport
    let caller: Caller
    let tree: FileTree

    init(export: NFSExport, caller: Caller) {
        self.export = export
        self.caller = caller
        tree = export.tree
    }
}

/// Who calls on a connection: credentials are decoded once, not for each call.
struct CredentialCache {
    private struct Entry {
        var bytes: [UInt8]
        var caller: Caller?
        var contexts: [UInt64: ExportContext] = [:]
    }

    /// Credentials that are kept; a client has one for each of its users.
    private static let limit = 32

    private let source: any NFSExportSource
    private let peer: Endpoint
    private var entries: [Entry] = []
    private var current = 0
    private var next = 0
    private var revision: UInt64 = 0
    private var last: ExportContext?
    private var trees: [UInt64: FileTree] = [:]
    /// Exports that this client was refused: each is told once.
    private var refused: Set<UInt64> = []

    init(_ source: any NFSExportSource, _ peer: Endpoint) {
        self.source = source
        self.peer = peer
        revision = source.revision
    }

    /// Makes the sender of a call the current caller; false when the credential cannot be read or its flavour is unknown.
    mutating func use(_ flavor: RPCAuthFlavor, _ body: RawSpan) -> Bool {
        guard flavor == .sys else {
            guard flavor == .none else { return false }
            return use([], nil)
        }
        if current < entries.count, Self.same(entries[current].bytes, body) { return true }
        if let known = entries.firstIndex(where: { Self.same($0.bytes, body) }) {
            current = known
            last = nil
            return true
        }
        guard let credential = try? RPCSystemCredential(decoding: body) else { return false }
        let bytes = unsafe body.withUnsafeBytes { unsafe Array($0) }
        let caller = Caller(user: credential.user, group: credential.group, groups: credential.groups)
        return use(bytes, caller)
    }

    private mutating func use(_ bytes: [UInt8], _ caller: Caller?) -> Bool {
        last = nil
        if let known = entries.firstIndex(where: { $0.bytes == bytes }) {
            current = known
            return true
        }
        if entries.count < Self.limit {
            current = entries.count
            entries.append(Entry(bytes: bytes, caller: caller))
        } else {
            current = next
            next = (next + 1) % Self.limit
            entries[current] = Entry(bytes: bytes, caller: caller)
        }
        return true
    }

    private static func same(_ bytes: [UInt8], _ body: RawSpan) -> Bool {
        guard bytes.count == body.byteCount else { return false }
        return unsafe body.withUnsafeBytes { body in
            guard let start = body.baseAddress else { return true }
            return unsafe memcmp(start, bytes, body.count) == 0
        }
    }

    /// Who the current caller is, as state belongs to it.
    var principal: NFS4Principal {
        guard current < entries.count, let user = entries[current].caller?.user else {
            return NFS4Principal(flavor: RPCAuthFlavor.none.rawValue, user: 0)
        }
        return NFS4Principal(flavor: RPCAuthFlavor.sys.rawValue, user: user)
    }

    /// The export of a handle for the current caller; nil when there is none for this client.
    mutating func context(_ identity: UInt64) -> ExportContext? {
        let revision = source.revision
        if revision == self.revision, let last, last.tree.identity == identity { return last }
        if revision != self.revision {
            self.revision = revision
            trees = [:]
            for index in entries.indices { entries[index].contexts = [:] }
        }
        if let known = entries[current].contexts[identity] {
            last = known
            return known
        }
        guard let export = source.export(identity: identity, for: peer) else {
            if refused.count < Self.limit, refused.insert(identity).inserted {
                source.refused(identity: identity, to: peer)
            }
            return nil
        }
        return keep(export, identity)
    }

    /// The export with a path for the current caller; nil when there is none for this client.
    mutating func context(at path: String, opens: Bool) -> ExportContext? {
        source.export(at: path, for: peer, opens: opens).flatMap { keep($0, $0.tree.identity) }
    }

    private mutating func keep(_ export: NFSExport, _ identity: UInt64) -> ExportContext {
        let context = ExportContext(export: export, caller: export.squash.effective(entries[current].caller))
        entries[current].contexts[identity] = context
        trees[identity] = export.tree
        last = context
        return context
    }

    /// The tree of a handle that was used on this connection.
    func tree(of handle: FileHandle) -> FileTree? {
        trees[handle.export] ?? source.export(identity: handle.export, for: peer)?.tree
    }
}
