package import FileTree
package import NetworkTypes

/// One exported tree and how it is served.
package struct NFSExport: Sendable {
    /// The path that clients mount.
    package var path: String
    /// The files.
    package var tree: FileTree
    /// Whether clients may change them.
    package var isWritable: Bool
    /// Whose names are not believed.
    package var squash: SquashRule
    /// Whether what was acknowledged may be lost in a power cut: for trees that do not outlive a boot.
    package var isVolatile = false
    /// Whether its files change here alone, so that clients may be promised to be told of every change.
    package var hasDelegations = true
    /// Whether only one client uses it: nobody else would miss what that client has not written yet when it closes a file.
    package var isForOneClient = false
    /// Whether clients of version 4 see and set access lists; each look at a file then asks for one, as `ls -l` does.
    package var hasAccessLists = false

    package init(
        path: String,
        tree: FileTree,
        isWritable: Bool = false,
        squash: SquashRule = SquashRule(),
        isVolatile: Bool = false,
        hasDelegations: Bool = true,
        isForOneClient: Bool = false,
        hasAccessLists: Bool = false
    ) {
        self.path = path
        self.tree = tree
        self.isWritable = isWritable
        self.squash = squash
        self.isVolatile = isVolatile
        self.hasDelegations = hasDelegations
        self.isForOneClient = isForOneClient
        self.hasAccessLists = hasAccessLists
    }
}

/// An export as it is listed: nothing was opened for that.
package struct NFSListedExport: Hashable, Sendable {
    /// The path that clients mount.
    package var path: String
    /// The number in the handles of its files.
    package var identity: UInt64

    package init(path: String, identity: UInt64) {
        self.path = path
        self.identity = identity
    }
}

/// Knows the exports and who may use them; asked on any threads, which have the rights of this process.
package protocol NFSExportSource: Sendable {
    /// Changes whenever an answer may have changed: connections ask again then.
    var revision: UInt64 { get }
    /// The exports that this client may mount; a listing opens none, and ends none.
    func exports(for peer: Endpoint) -> [NFSListedExport]
    /// The export with this path; nil when it is gone or not for this client, or when it would have to be opened and `opens`
    /// is false.
    func export(at path: String, for peer: Endpoint, opens: Bool) -> NFSExport?
    /// The export of a handle that this client holds; nil when it is gone or not for this client.
    func export(identity: UInt64, for peer: Endpoint) -> NFSExport?
    /// Told when a client has mounted the export with this path.
    func mounted(_ path: String, by peer: Endpoint)
    /// Told when a client that asks for an export does not get it, with the path that it named.
    func refused(_ path: String, to peer: Endpoint)
    /// Told when a client that shows a handle of an export may not use that; once for a connection.
    func refused(identity: UInt64, to peer: Endpoint)
    /// Told when a client has connected; an idle client lets its connection go, and makes another one later.
    func connected(_ peer: Endpoint)
    /// Told when a client's connection is over.
    func disconnected(_ peer: Endpoint)
}

extension NFSExportSource {
    package func refused(_ path: String, to peer: Endpoint) {}
    package func refused(identity: UInt64, to peer: Endpoint) {}
    package func connected(_ peer: Endpoint) {}
    package func disconnected(_ peer: Endpoint) {}
}

/// The same exports for everybody.
package struct FixedNFSExports: NFSExportSource {
    private let list: [NFSExport]
    package init(_ list: [NFSExport]) { self.list = list }
    package var revision: UInt64 { 0 }
    package func exports(for peer: Endpoint) -> [NFSListedExport] {
        list.map { NFSListedExport(path: $0.path, identity: $0.tree.identity) }
    }
    package func export(at path: String, for peer: Endpoint, opens: Bool) -> NFSExport? {
        list.first { $0.path == path }
    }
    package func export(identity: UInt64, for peer: Endpoint) -> NFSExport? {
        list.first { $0.tree.identity == identity }
    }
    package func mounted(_ path: String, by peer: Endpoint) {}
}
