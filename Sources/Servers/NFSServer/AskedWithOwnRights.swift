import NetworkTypes

/// A source of exports that is asked with the rights of this process, whatever rights the asking thread has.
///
/// The source may do anything: mount, write files, start threads.
struct AskedWithOwnRights: NFSExportSource {
    private let source: any NFSExportSource
    private let threads: OwnRightsThreads

    init(_ source: any NFSExportSource, _ threads: OwnRightsThreads) {
        self.source = source
        self.threads = threads
    }

    /// Asked for every call: a look at a number.
    var revision: UInt64 { source.revision }

    func exports(for peer: Endpoint) -> [NFSListedExport] {
        threads.run { [source] in source.exports(for: peer) } ?? []
    }

    func export(at path: String, for peer: Endpoint, opens: Bool) -> NFSExport? {
        threads.run { [source] in source.export(at: path, for: peer, opens: opens) } ?? nil
    }

    func export(identity: UInt64, for peer: Endpoint) -> NFSExport? {
        threads.run { [source] in source.export(identity: identity, for: peer) } ?? nil
    }

    func mounted(_ path: String, by peer: Endpoint) { _ = threads.run { [source] in source.mounted(path, by: peer) } }

    func refused(_ path: String, to peer: Endpoint) { _ = threads.run { [source] in source.refused(path, to: peer) } }

    func refused(identity: UInt64, to peer: Endpoint) {
        _ = threads.run { [source] in source.refused(identity: identity, to: peer) }
    }

    func connected(_ peer: Endpoint) { _ = threads.run { [source] in source.connected(peer) } }

    func disconnected(_ peer: Endpoint) { _ = threads.run { [source] in source.disconnected(peer) } }
}
