import FileTree
import NFS4
import NetworkTypes
import XDR

/// Whose connection it is: requests of version 4.0 do not say who sends them, but those that name a client tell it.
///
/// What a client was promised need not be taken back for what it does itself.
struct Sender40 {
    private var last: UInt64?
    private var isShared = false

    /// The client; nil when none has named itself yet, or several have.
    var client: UInt64? { isShared ? nil : last }

    /// Takes note of a client; `isKnown` says whether one is still there.
    mutating func note(_ client: UInt64, isKnown: (UInt64) -> Bool) {
        guard client != last else { return }
        if let last, isKnown(last) { isShared = true }
        last = client
    }
}

extension Conversation {
    /// Takes note that this connection is that client's.
    mutating func noteSender(_ client: UInt64) {
        let server = server
        sender40.note(client) { other in server.version4.perform { state, _ in state.hasClient(other) } }
    }

    /// Who sends a request, as far as that is known.
    func sender(_ compound: Compound) -> UInt64? {
        compound.client ?? (compound.minor == 0 ? sender40.client : nil)
    }

    /// The operations about clients of version 4.0.
    mutating func perform40(
        _ operation: NFS4Operation,
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        guard compound.minor == 0 || operation == .delegationPurge else { throw NFS4Status.notSupported }
        let principal = compound.principal
        switch operation {
        case .setClientID:
            let verifier = try reader.readUInt64()
            let name = try reader.readBytes(limit: NFS4.opaqueLimit)
            let program = try reader.readUInt32()
            let network = try reader.readBytes(limit: 64)
            let address = try reader.readBytes(limit: 128)
            let callback = NFS4CallbackPlace(
                program: program,
                network: network,
                address: address,
                identifier: try reader.readUInt32()
            )
            // Nobody can have us call somebody else.
            let origin = handle.peer.address
            let isOwn = callback.endpoint?.address == origin
            let outcome = server.version4.perform { state, now in
                state.setClientID(
                    name: name,
                    verifier: verifier,
                    principal: principal,
                    from: origin,
                    callback: isOwn ? callback : callback.withoutAddress,
                    now: now
                )
            }
            switch outcome {
            case .failed(let status): throw status
            case .inUse(let network, let address): throw NFS4InUse(network: network, address: address)
            case .made(let client, let confirmation):
                writer.write(client)
                writer.write(confirmation)
            }
        case .setClientIDConfirm:
            let (client, confirmation) = (try reader.readUInt64(), try reader.readUInt64())
            try check(
                server.version4.perform { state, now in
                    state.confirmClientID(client, confirmation, principal: principal, now: now)
                }
            )
            noteSender(client)
        case .renew:
            let client = try reader.readUInt64()
            try check(server.version4.perform { state, now in state.renew(client, now: now) })
            noteSender(client)
        case .releaseLockOwner:
            let client = try reader.readUInt64()
            let owner = try reader.readBytes(limit: NFS4.opaqueLimit)
            try check(server.version4.perform { state, now in state.releaseLockOwner(client, owner, now: now) })
        default: throw NFS4Status.notSupported
        }
    }

    private func check(_ status: NFS4Status) throws(NFS4Status) {
        guard status == .ok else { throw status }
    }

    /// The operations about clients and sessions of version 4.1 and later.
    mutating func perform41(
        _ operation: NFS4Operation,
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let (principal, connection, minor) = (compound.principal, handle.number, compound.minor)
        switch operation {
        case .exchangeID: try exchangeID(compound, &reader, &writer)
        case .createSession:
            let call = try NFS4CreateSessionCall(decoding: &reader)
            let reply = try server.version4.perform { state, now in
                state.createSession(call, principal: principal, connection: connection, minor: minor, now: now)
            }.get()
            reply.encode(into: &writer)
        case .destroySession:
            let session = try NFS4SessionID(decoding: &reader)
            if let own = compound.sequence?.session, own == session, !compound.isLast { throw NFS4Status.notOnlyOp }
            try check(
                server.version4.perform { state, _ in state.destroySession(session, connection: connection) }
            )
        case .bindConnection:
            let session = try NFS4SessionID(decoding: &reader)
            let direction = try reader.readUInt32()
            _ = try reader.readBool()
            let granted = try server.version4.perform { state, now in
                state.bind(connection, to: session, direction: direction, now: now)
            }.get()
            session.encode(into: &writer)
            writer.write(granted)
            writer.write(false)
        case .backchannelControl:
            let program = try reader.readUInt32()
            let security = try NFS4CallbackSecurity.choose(decoding: &reader)
            guard let session = compound.sequence?.session else { throw NFS4Status.opNotInSession }
            try check(
                server.version4.perform { state, _ in
                    state.setBackchannel(session, program: program, security: security)
                }
            )
        case .destroyClientID:
            let client = try reader.readUInt64()
            try check(server.version4.perform { state, _ in state.destroyClient(client) })
        case .reclaimComplete:
            let isOne = try reader.readBool()
            guard let client = compound.client else { throw NFS4Status.opNotInSession }
            if isOne, compound.current == nil { throw NFS4Status.noHandle }
            try check(
                server.version4.perform { state, _ in state.reclaimComplete(client, oneFileSystem: isOne) }
            )
        case .testStateids:
            let start = reader.offset
            let count = Int(try reader.readUInt32())
            guard count <= reader.remaining / 16, count <= 1024 else {
                throw XDRError.tooLong(offset: start, count: count, limit: 1024)
            }
            guard let client = compound.client else { throw NFS4Status.opNotInSession }
            var all: [NFS4Stateid] = []
            for _ in 0..<count { all.append(try Self.resolved(try NFS4Stateid(decoding: &reader), compound)) }
            let asked = all
            writer.write(UInt32(count))
            for status in server.version4.perform({ state, _ in asked.map { state.test($0, client: client) } }) {
                writer.write(status.rawValue)
            }
        case .freeStateid:
            let stateid = try Self.resolved(try NFS4Stateid(decoding: &reader), compound)
            guard let client = compound.client else { throw NFS4Status.opNotInSession }
            try check(server.version4.perform { state, _ in state.free(stateid, client: client) })
        default: throw NFS4Status.notSupported
        }
    }

    private mutating func exchangeID(
        _ compound: Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let call = try NFS4ExchangeCall(decoding: &reader)
        guard call.protection <= 2 else { throw XDRError.invalid(offset: reader.offset, value: call.protection) }
        // Protection of state needs Kerberos: SP4_MACH_CRED and SP4_SSV mean nothing without it.
        guard call.protection == 0 else { throw NFS4Status.encrAlgUnsupp }
        let (principal, address, minor) = (compound.principal, handle.peer.address, compound.minor)
        let reply = try server.version4.perform { state, now in
            state.exchangeID(call, principal: principal, from: address, minor: minor, now: now)
        }.get()
        writer.write(reply.client)
        writer.write(reply.sequence)
        writer.write(NFS4ExchangeCall.withoutStripes | (reply.isConfirmed ? NFS4ExchangeCall.confirmed : 0))
        writer.write(0 as UInt32)
        writer.write(0 as UInt64)
        writer.writeOpaque(server.version4.name)
        writer.writeOpaque(server.version4.name)
        writer.write(0 as UInt32)
    }
}
