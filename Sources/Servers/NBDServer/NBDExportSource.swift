public import BlockStorage
public import NBD
public import NetworkTypes

/// Who is connected, as far as a server can know.
public struct NBDPeer: Hashable, Sendable, CustomStringConvertible {
    /// A number of its own for each connection of this server.
    public var connection: UInt64
    /// The other end.
    public var remote: Endpoint
    /// Our own end.
    public var local: Endpoint
    /// The common name in the certificate that the client showed over TLS; nil when it showed none.
    public var certificateName: String?

    /// A connection between two ends.
    public init(connection: UInt64, remote: Endpoint, local: Endpoint, certificateName: String? = nil) {
        self.connection = connection
        self.remote = remote
        self.local = local
        self.certificateName = certificateName
    }

    /// The other end, for a log line.
    public var description: String { remote.description }
}

/// What a client gets when it opens an export.
public struct NBDExport: Sendable {
    /// The bytes; what it can do decides what is announced.
    public var storage: any BlockStorage
    /// A text for people.
    public var text: String?
    /// Set where only one session may use the export: opening it ends an older session with the same key first.
    ///
    /// A node that lost its power leaves its session behind, with requests that must not be done any more.
    public var onlySession: String?
    /// Whether clients may make it larger (NBD_CMD_RESIZE), where the storage can grow.
    public var mayGrow: Bool
    /// A file on the file system that what clients write needs room on; a change that finds none waits there for it.
    ///
    /// Nil where clients are told (ENOSPC).
    public var waitsForRoomAt: String?
    /// What its source needs to know as living; let go when the session is over.
    public var holding: (any Sendable)?

    /// An export of `storage`.
    public init(
        _ storage: any BlockStorage,
        text: String? = nil,
        onlySession: String? = nil,
        mayGrow: Bool = false,
        waitsForRoomAt: String? = nil
    ) {
        self.storage = storage
        self.text = text
        self.onlySession = onlySession
        self.mayGrow = mayGrow
        self.waitsForRoomAt = waitsForRoomAt
    }
}

/// How much a session moved.
public struct NBDTraffic: Equatable, Sendable {
    /// Bytes that the client read.
    public var read: UInt64 = 0
    /// Bytes that the client wrote.
    public var written: UInt64 = 0

    /// Nothing yet.
    public init() {}
}

/// Knows the exports; the server asks it from the connections' threads, so calls may block and come at the same time.
public protocol NBDExportSource: Sendable {
    /// The export named `name` for this client.
    ///
    /// Nothing lasting may be made for the purpose `information`. Throws the refusal that the client gets to read.
    func open(_ name: String, purpose: NBDExportPurpose, peer: NBDPeer) throws(NBDExportRefusal) -> NBDExport
    /// The exports that this client may see.
    func list(peer: NBDPeer) -> [NBDListedExport]
    /// A session has begun.
    func connected(_ name: String, peer: NBDPeer)
    /// A session is over.
    func disconnected(_ name: String, peer: NBDPeer, traffic: NBDTraffic)
    /// A change waits for room on the server's disk, whose state `room` tells; told once, also when its client dials again.
    func waitsForRoom(_ name: String, peer: NBDPeer, room: String)
    /// It found room, after so long.
    func foundRoom(_ name: String, peer: NBDPeer, seconds: Int)
}

extension NBDExportSource {
    /// Nothing to do.
    public func connected(_ name: String, peer: NBDPeer) {}
    /// Nothing to do.
    public func disconnected(_ name: String, peer: NBDPeer, traffic: NBDTraffic) {}
    /// Nothing to do.
    public func waitsForRoom(_ name: String, peer: NBDPeer, room: String) {}
    /// Nothing to do.
    public func foundRoom(_ name: String, peer: NBDPeer, seconds: Int) {}
}

/// One storage under every name, for a server that shows a single file.
public struct SingleExport: NBDExportSource {
    private let export: NBDExport

    /// Answers every name with `storage`; clients may make it larger where it can grow.
    public init(_ storage: any BlockStorage, text: String? = nil) {
        export = NBDExport(storage, text: text, mayGrow: true)
    }

    /// The storage, whatever the name is.
    public func open(
        _ name: String,
        purpose: NBDExportPurpose,
        peer: NBDPeer
    ) throws(NBDExportRefusal) -> NBDExport { export }

    /// The default export, whose name is empty.
    public func list(peer: NBDPeer) -> [NBDListedExport] { [NBDListedExport(name: "", text: export.text)] }
}

extension NBDExport {
    /// What the client is told.
    var description: NBDExportDescription {
        let capabilities = storage.capabilities
        var flags: NBDTransmissionFlags = [.cache]
        if capabilities.contains(.write) {
            flags.formUnion([.flush, .forceUnitAccess])
        } else {
            flags.insert(.readOnly)
        }
        if capabilities.contains(.trim) { flags.insert(.trim) }
        if capabilities.contains(.zero) { flags.insert(.writeZeroes) }
        if capabilities.contains(.grow), mayGrow { flags.insert(.resize) }
        // An export for one session must not invite the client to open several.
        if capabilities.contains(.shared), onlySession == nil { flags.insert(.multipleConnections) }
        return NBDExportDescription(
            size: storage.size,
            flags: flags,
            preferredBlockSize: storage.preferredBlockSize,
            text: text
        )
    }
}
