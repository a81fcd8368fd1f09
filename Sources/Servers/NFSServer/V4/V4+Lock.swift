import FileTree
import NFS4
import NetworkIO
import XDR

extension Conversation {
    private func answer(
        _ outcome: NFS4LockOutcome,
        _ compound: inout Compound,
        _ writer: inout XDRWriter
    ) throws {
        switch outcome {
        case .failed(let status): throw status
        case .denied(let conflict): throw NFS4Denied(conflict: conflict)
        case .done(let stateid):
            compound.currentState = stateid
            stateid.encode(into: &writer)
        }
    }

    mutating func lock4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let call = try NFS4LockCall(decoding: &reader)
        let (_, object) = try Self.regular(compound)
        let key = NFS4FileKey(object.handle)
        let owner: NFS4LockRequest.Owner
        switch call.owner {
        case .new(let openSequence, let open, let sequence, let client, let name):
            if compound.client == nil {
                try takeTurn(&compound, openSequence) { state, now in state.beginTurn(open, openSequence, now: now) }
            }
            owner = .new(open: try Self.resolved(open, compound), client: client, name: name, sequence: sequence)
        case .known(let stateid, let sequence):
            if compound.client == nil {
                try takeTurn(&compound, sequence) { state, now in state.beginTurn(stateid, sequence, now: now) }
            }
            owner = .known(try Self.resolved(stateid, compound))
        }
        let request = NFS4LockRequest(
            owner: owner,
            file: key,
            offset: call.offset,
            length: call.length,
            isWrite: call.type & 1 == 0,
            isWaiting: call.type > 2,
            reclaims: call.reclaims,
            client: compound.client
        )
        let outcome = server.version4.perform { state, now in state.lock(request, now: now) }
        let start = writer.count
        try answer(outcome, &compound, &writer)
        guard compound.client == nil, case .new(_, _, let sequence, _, _) = call.owner,
            case .done(let stateid) = outcome
        else { return }
        // From here on the lock owner counts by itself; its first number is this one.
        let reply =
            [0, 0, 0, 0] + (unsafe Array(UnsafeRawBufferPointer(output.part(filled + start, writer.count - start))))
        server.version4.perform { state, _ in state.setLockSequence(stateid, sequence, reply: reply) }
    }

    mutating func lockTest(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let place = reader.offset
        let type = try reader.readUInt32()
        guard (1...4).contains(type) else { throw XDRError.invalid(offset: place, value: type) }
        let (offset, length) = (try reader.readUInt64(), try reader.readUInt64())
        let named = try reader.readUInt64()
        let owner = try reader.readBytes(limit: NFS4.opaqueLimit)
        let (_, object) = try Self.regular(compound)
        let key = NFS4FileKey(object.handle)
        let client = compound.client ?? named
        let outcome = server.version4.perform { state, now in
            state.testLock(
                client: client,
                owner: owner,
                file: key,
                offset: offset,
                length: length,
                isWrite: type & 1 == 0,
                now: now
            )
        }
        switch outcome {
        case .failed(let status): throw status
        case .denied(let conflict): throw NFS4Denied(conflict: conflict)
        case .done: return
        }
    }

    mutating func unlock4(
        _ compound: inout Compound,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws {
        let place = reader.offset
        let type = try reader.readUInt32()
        guard (1...4).contains(type) else { throw XDRError.invalid(offset: place, value: type) }
        let sequence = try reader.readUInt32()
        let stateid = try NFS4Stateid(decoding: &reader)
        let (offset, length) = (try reader.readUInt64(), try reader.readUInt64())
        let (_, object) = try Self.regular(compound)
        let key = NFS4FileKey(object.handle)
        let client = compound.client
        if client == nil {
            try takeTurn(&compound, sequence) { state, now in state.beginTurn(stateid, sequence, now: now) }
        }
        let actual = try Self.resolved(stateid, compound)
        let outcome = server.version4.perform { state, _ in
            state.unlock(actual, key, offset: offset, length: length, client: client)
        }
        try answer(outcome, &compound, &writer)
    }
}
