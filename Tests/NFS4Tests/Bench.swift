import NFS4
import NetworkTypes

/// A state with a clock that the test moves, and clients by name.
final class Bench {
    static let principal = NFS4Principal(flavor: 1, user: 0)
    static let address = IPv4Address(value: 0x0a00_0001)
    static let file = NFS4FileKey(export: 1, file: 7)
    var state: NFS4State
    var now: UInt64 = 1_000_000
    var connection: UInt64 = 1

    init(recorded: [[UInt8]] = [], limits: NFS4Limits = NFS4Limits(), epoch: UInt32 = 9) {
        state = NFS4State(epoch: epoch, limits: limits, recorded: recorded, now: now)
    }

    func pass(seconds: UInt64) {
        now += seconds * 1000
        state.tick(now: now)
    }

    /// Attributes of a file of one byte, or of a directory, that belongs to root.
    static func attributes(_ type: NFS4FileType, mode: UInt32) -> NFS4Attributes {
        let time = NFS4Time(seconds: 1, nanoseconds: 0)
        return NFS4Attributes(
            type: type,
            change: 1,
            size: 1,
            used: 0,
            fileSystem: 1,
            file: 2,
            mountedOn: 2,
            mode: mode,
            links: 1,
            user: 0,
            group: 0,
            major: 0,
            minor: 0,
            accessed: time,
            modified: time,
            changed: time,
            handle: NFS4FileHandle(words: InlineArray(repeating: 1), count: 16)
        )
    }

    static func exchange(_ name: String, verifier: UInt64 = 1) -> NFS4ExchangeCall {
        NFS4ExchangeCall(verifier: verifier, owner: Array(name.utf8), flags: 0, protection: 0)
    }

    static func channel(slots: UInt32 = 4) -> NFS4ChannelLimits {
        NFS4ChannelLimits(request: 8192, reply: 8192, cachedReply: 4096, operations: 16, slots: slots)
    }

    /// A client with one session, ready to open files.
    func client(
        _ name: String,
        verifier: UInt64 = 1,
        reclaims: Bool = false,
        from address: IPv4Address = Bench.address
    ) -> (id: UInt64, NFS4SessionID)? {
        let call = Self.exchange(name, verifier: verifier)
        guard
            case .success(let reply) = state.exchangeID(
                call,
                principal: Self.principal,
                from: address,
                minor: 1,
                now: now
            )
        else { return nil }
        connection += 1
        let create = NFS4CreateSessionCall(
            client: reply.client,
            sequence: reply.sequence,
            flags: 2,
            fore: Self.channel(),
            back: Self.channel(),
            program: 0x4000_0000,
            security: NFS4CallbackSecurity(user: 0)
        )
        let made = state.createSession(create, principal: Self.principal, connection: connection, minor: 1, now: now)
        guard case .success(let session) = made else { return nil }
        if !reclaims { _ = state.reclaimComplete(reply.client, oneFileSystem: false) }
        return (reply.client, session.session)
    }

    /// A client of version 4.0.
    func oldClient(_ name: String, verifier: UInt64 = 1, from address: IPv4Address = Bench.address) -> UInt64? {
        let place = NFS4CallbackPlace(program: 1, network: [], address: [], identifier: 0)
        let outcome = state.setClientID(
            name: Array(name.utf8),
            verifier: verifier,
            principal: Self.principal,
            from: address,
            callback: place,
            now: now
        )
        guard case .made(let id, let confirmation) = outcome else { return nil }
        return state.confirmClientID(id, confirmation, principal: Self.principal, now: now) == .ok ? id : nil
    }

    func open(
        _ client: UInt64,
        _ owner: String = "owner",
        access: UInt32 = 1,
        deny: UInt32 = 0,
        wish: NFS4DelegationWish = .none,
        file: NFS4FileKey = Bench.file
    ) -> Result<NFS4Opened, NFS4Status> {
        var request = NFS4OpenRequest(
            client: client,
            owner: Array(owner.utf8),
            file: file,
            access: access,
            deny: deny
        )
        request.wish = wish
        return state.open(request, now: now)
    }

    func lock(
        _ client: UInt64,
        _ open: NFS4Stateid,
        _ owner: String,
        _ offset: UInt64,
        _ length: UInt64,
        isWrite: Bool = true
    ) -> NFS4LockOutcome {
        state.lock(
            NFS4LockRequest(
                owner: .new(open: open, client: client, name: Array(owner.utf8), sequence: 0),
                file: Self.file,
                offset: offset,
                length: length,
                isWrite: isWrite,
                client: client
            ),
            now: now
        )
    }
}
