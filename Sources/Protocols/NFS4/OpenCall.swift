public import XDR

/// The arguments of OPEN (RFC 8881, section 18.16.1; RFC 7530, section 16.16.1).
public struct NFS4OpenCall: Equatable, Sendable {
    /// Whether a missing file is made, and how.
    public enum How: Equatable, Sendable {
        /// It must be there.
        case existing
        /// It is made when it is not there.
        case unchecked(NFS4NewAttributes)
        /// It must not be there.
        case guarded(NFS4NewAttributes)
        /// It must not be there, unless this very request made it.
        case exclusive(UInt64)
        /// The same with attributes.
        case exclusiveWith(UInt64, NFS4NewAttributes)
    }

    /// By what right, and which file.
    public enum Claim: Equatable, Sendable {
        /// A name in the current directory.
        case name([UInt8])
        /// The current file, which was open before the server's restart, with this kind of delegation.
        case previous(delegation: UInt32)
        /// A name for which there is a delegation.
        case delegatedName(NFS4Stateid, [UInt8])
        /// A name that was delegated before the client's restart.
        case previouslyDelegatedName([UInt8])
        /// The current file.
        case current
        /// The current file, for which there is a delegation.
        case delegatedCurrent(NFS4Stateid)
        /// The current file, which was delegated before the client's restart.
        case previouslyDelegatedCurrent
    }

    /// The owner's number in version 4.0.
    public var sequence: UInt32
    /// 1: reads; 2: writes; above, wishes for delegations (`NFS4DelegationWish`).
    public var access: UInt32
    /// What others may not do.
    public var deny: UInt32
    /// The client in version 4.0.
    public var client: UInt64
    /// Who opens.
    public var owner: [UInt8]
    /// Whether a missing file is made.
    public var how: How
    /// Which file.
    public var claim: Claim
    /// Why the attributes cannot be set, told only after all else was read.
    public var refusal: NFS4Status?

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader, minor: UInt32) throws {
        sequence = try reader.readUInt32()
        access = try reader.readUInt32()
        deny = try reader.readUInt32()
        client = try reader.readUInt64()
        owner = try reader.readBytes(limit: NFS4.opaqueLimit)
        let start = reader.offset
        switch try reader.readUInt32() {
        case 0: how = .existing
        case 1:
            let place = reader.offset
            switch try reader.readUInt32() {
            case 0:
                let (new, why) = try Self.attributes(&reader, minor)
                (how, refusal) = (.unchecked(new), why)
            case 1:
                let (new, why) = try Self.attributes(&reader, minor)
                (how, refusal) = (.guarded(new), why)
            case 2: how = .exclusive(try reader.readUInt64())
            case 3 where minor > 0:
                let verifier = try reader.readUInt64()
                let (new, why) = try Self.attributes(&reader, minor)
                (how, refusal) = (.exclusiveWith(verifier, new), why)
            case let mode: throw XDRError.invalid(offset: place, value: mode)
            }
        case let type: throw XDRError.invalid(offset: start, value: type)
        }
        let place = reader.offset
        switch try reader.readUInt32() {
        case 0: claim = .name(try reader.readBytes(limit: NFS4.textLimit))
        case 1: claim = .previous(delegation: try reader.readUInt32())
        case 2:
            let stateid = try NFS4Stateid(decoding: &reader)
            claim = .delegatedName(stateid, try reader.readBytes(limit: NFS4.textLimit))
        case 3: claim = .previouslyDelegatedName(try reader.readBytes(limit: NFS4.textLimit))
        case 4 where minor > 0: claim = .current
        case 5 where minor > 0: claim = .delegatedCurrent(try NFS4Stateid(decoding: &reader))
        case 6 where minor > 0: claim = .previouslyDelegatedCurrent
        case let claim: throw XDRError.invalid(offset: place, value: claim)
        }
    }

    /// Writes what of all this is understood (open_arguments4; RFC 9754, section 3): a set of bits for each argument.
    ///
    /// The signals and pushes of delegations that come later are not among the wishes, nor are claims for what was delegated
    /// to an earlier run of the client.
    static func encodeUnderstood(into writer: inout XDRWriter) {
        let access: UInt32 = 1 << 1 | 1 << 2 | 1 << 3
        let deny: UInt32 = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3
        // Any, none, cancel, and to keep the times.
        let wishes: UInt32 = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 20
        // A name, what was open before a restart, a delegated name, and both by handle.
        let claims: UInt32 = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 4 | 1 << 5
        // Unchecked, guarded and both exclusive ones.
        let ways: UInt32 = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3
        for bits in [access, deny, wishes, claims, ways] { NFS4Bitmap(low: UInt64(bits)).encode(into: &writer) }
    }

    private static func attributes(
        _ reader: inout XDRReader,
        _ minor: UInt32
    ) throws -> (NFS4NewAttributes, NFS4Status?) {
        do {
            return (try NFS4NewAttributes(decoding: &reader, minor: minor), nil)
        } catch let error as NFS4NewAttributes.Refused {
            guard error.end >= reader.offset else { throw XDRError.truncated(offset: error.end) }
            _ = try reader.readFixedOpaque(error.end - reader.offset)
            return (NFS4NewAttributes(), error.status)
        }
    }
}

/// The arguments of LOCK (RFC 8881, section 18.10.1).
public struct NFS4LockCall: Equatable, Sendable {
    /// Who locks.
    public enum Owner: Equatable, Sendable {
        /// An owner that has no lock of the file yet.
        case new(openSequence: UInt32, open: NFS4Stateid, sequence: UInt32, client: UInt64, owner: [UInt8])
        /// One that has.
        case known(NFS4Stateid, sequence: UInt32)
    }
    /// 1: read; 2: write; 3 and 4 the same by a client that waits.
    public var type: UInt32
    /// Whether it claims what it had before the server's restart.
    public var reclaims: Bool
    /// The first byte.
    public var offset: UInt64
    /// How many.
    public var length: UInt64
    /// Who locks.
    public var owner: Owner

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        type = try reader.readUInt32()
        reclaims = try reader.readBool()
        offset = try reader.readUInt64()
        length = try reader.readUInt64()
        if try reader.readBool() {
            owner = .new(
                openSequence: try reader.readUInt32(),
                open: try NFS4Stateid(decoding: &reader),
                sequence: try reader.readUInt32(),
                client: try reader.readUInt64(),
                owner: try reader.readBytes(limit: NFS4.opaqueLimit)
            )
        } else {
            owner = .known(try NFS4Stateid(decoding: &reader), sequence: try reader.readUInt32())
        }
        guard (1...4).contains(type) else { throw .invalid(offset: 0, value: type) }
    }
}
