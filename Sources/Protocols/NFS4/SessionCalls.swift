public import XDR

/// What a channel of a session can carry (channel_attrs4, RFC 8881, section 18.36.1).
public struct NFS4ChannelLimits: Hashable, Sendable {
    /// Padding before data.
    public var headerPadding: UInt32 = 0
    /// Longest request, in bytes.
    public var request: UInt32 = 0
    /// Longest reply, in bytes.
    public var reply: UInt32 = 0
    /// Longest reply that is kept, in bytes.
    public var cachedReply: UInt32 = 0
    /// Operations in a compound.
    public var operations: UInt32 = 0
    /// Requests under way.
    public var slots: UInt32 = 0

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        headerPadding = try reader.readUInt32()
        request = try reader.readUInt32()
        reply = try reader.readUInt32()
        cachedReply = try reader.readUInt32()
        operations = try reader.readUInt32()
        slots = try reader.readUInt32()
        let start = reader.offset
        let count = try reader.readUInt32()
        guard count <= 1 else { throw .tooLong(offset: start, count: Int(count), limit: 1) }
        if count == 1 { _ = try reader.readUInt32() }
    }

    /// Writes them, without RDMA.
    public func encode(into writer: inout XDRWriter) {
        for word in [headerPadding, request, reply, cachedReply, operations, slots, 0] { writer.write(word) }
    }
}

/// The arguments of EXCHANGE_ID (RFC 8881, section 18.35).
public struct NFS4ExchangeCall: Equatable, Sendable {
    /// This run of the client.
    public var verifier: UInt64
    /// What the client calls itself.
    public var owner: [UInt8]
    /// What it can do and wants (eia_flags).
    public var flags: UInt32
    /// How it wants its state to be protected: 0 not, 1 by machine credentials, 2 by an SSV.
    public var protection: UInt32

    /// The client changes what is known of it.
    public static let update: UInt32 = 0x4000_0000
    /// Only in replies: it was confirmed before.
    public static let confirmed: UInt32 = 0x8000_0000
    /// Files are not striped over other servers.
    public static let withoutStripes: UInt32 = 0x1_0000
    /// All that a client may say.
    public static let known: UInt32 = 0x4007_0103
    /// What clients of version 4.2 may say besides (EXCHGID4_FLAG_SUPP_FENCE_OPS).
    public static let fencing: UInt32 = 0x4

    /// Reads them; what belongs to a protection other than none is left unread.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        verifier = try reader.readUInt64()
        owner = try reader.readBytes(limit: NFS4.opaqueLimit)
        flags = try reader.readUInt32()
        protection = try reader.readUInt32()
        guard protection == 0 else { return }
        let start = reader.offset
        let count = try reader.readUInt32()
        guard count <= 1 else { throw .tooLong(offset: start, count: Int(count), limit: 1) }
        guard count == 1 else { return }
        _ = try reader.readOpaque(limit: NFS4.opaqueLimit)
        _ = try reader.readOpaque(limit: NFS4.opaqueLimit)
        _ = try reader.readUInt64()
        _ = try reader.readUInt32()
    }
}

/// How the server is to sign its calls to the client (callback_sec_parms4).
public struct NFS4CallbackSecurity: Hashable, Sendable {
    /// The user and group of AUTH_SYS; nil for AUTH_NONE.
    public var user: UInt32?
    /// The group.
    public var group: UInt32 = 0

    /// A user and group, or nobody.
    public init(user: UInt32? = nil, group: UInt32 = 0) {
        self.user = user
        self.group = group
    }

    /// Reads the list of those that the client takes, and chooses; AUTH_NONE when there is none that we speak.
    @_lifetime(reader: copy reader)
    public static func choose(decoding reader: inout XDRReader) throws(XDRError) -> NFS4CallbackSecurity {
        let start = reader.offset
        let count = try reader.readUInt32()
        guard count <= 16 else { throw .tooLong(offset: start, count: Int(count), limit: 16) }
        var chosen: NFS4CallbackSecurity?
        for _ in 0..<count {
            let place = reader.offset
            switch try reader.readUInt32() {
            case 0: chosen = chosen ?? NFS4CallbackSecurity(user: nil)
            case 1:
                _ = try reader.readUInt32()
                _ = try reader.readOpaque(limit: 255)
                let user = try reader.readUInt32()
                let group = try reader.readUInt32()
                let groups = try reader.readUInt32()
                guard groups <= 16 else { throw .tooLong(offset: place, count: Int(groups), limit: 16) }
                for _ in 0..<groups { _ = try reader.readUInt32() }
                if chosen?.user == nil { chosen = NFS4CallbackSecurity(user: user, group: group) }
            case 6:
                _ = try reader.readUInt32()
                _ = try reader.readOpaque(limit: 400)
                _ = try reader.readOpaque(limit: 400)
            case let flavor: throw .invalid(offset: place, value: flavor)
            }
        }
        return chosen ?? NFS4CallbackSecurity(user: nil)
    }
}

/// The arguments of CREATE_SESSION (RFC 8881, section 18.36).
public struct NFS4CreateSessionCall: Equatable, Sendable {
    /// The client.
    public var client: UInt64
    /// One more than the last time.
    public var sequence: UInt32
    /// 1: replies outlive the server; 2: this connection carries calls back; 4: RDMA.
    public var flags: UInt32
    /// The channel of the client's calls.
    public var fore: NFS4ChannelLimits
    /// The channel of our calls.
    public var back: NFS4ChannelLimits
    /// The program number of our calls.
    public var program: UInt32
    /// How they are to be signed.
    public var security: NFS4CallbackSecurity

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        client = try reader.readUInt64()
        sequence = try reader.readUInt32()
        flags = try reader.readUInt32()
        fore = try NFS4ChannelLimits(decoding: &reader)
        back = try NFS4ChannelLimits(decoding: &reader)
        program = try reader.readUInt32()
        security = try NFS4CallbackSecurity.choose(decoding: &reader)
    }
}

/// What CREATE_SESSION answers.
public struct NFS4CreateSessionReply: Hashable, Sendable {
    /// The session.
    public var session: NFS4SessionID
    /// As in the call.
    public var sequence: UInt32
    /// What was granted.
    public var flags: UInt32
    /// The channel of the client's calls.
    public var fore: NFS4ChannelLimits
    /// The channel of our calls.
    public var back: NFS4ChannelLimits

    /// Writes it.
    public func encode(into writer: inout XDRWriter) {
        session.encode(into: &writer)
        writer.write(sequence)
        writer.write(flags)
        fore.encode(into: &writer)
        back.encode(into: &writer)
    }
}

/// Names a session (sessionid4): its client and a number that is never used twice.
public struct NFS4SessionID: Hashable, Sendable {
    /// The client's number.
    public var client: UInt64
    /// The session's own, drawn at random.
    public var number: UInt64

    /// A session of a client.
    public init(client: UInt64, number: UInt64) {
        self.client = client
        self.number = number
    }

    /// Reads one.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        client = try reader.readUInt64()
        number = try reader.readUInt64()
    }

    /// Writes it.
    public func encode(into writer: inout XDRWriter) {
        writer.write(client)
        writer.write(number)
    }
}

/// The arguments of SEQUENCE (RFC 8881, section 18.46).
public struct NFS4SequenceCall: Equatable, Sendable {
    /// The session.
    public var session: NFS4SessionID
    /// One more than the last one of the slot.
    public var sequence: UInt32
    /// The slot.
    public var slot: UInt32
    /// The highest slot that the client uses.
    public var highestSlot: UInt32
    /// Whether the reply is to be kept.
    public var keepsReply: Bool

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        session = try NFS4SessionID(decoding: &reader)
        sequence = try reader.readUInt32()
        slot = try reader.readUInt32()
        highestSlot = try reader.readUInt32()
        keepsReply = try reader.readBool()
    }
}

extension NFS4ChannelLimits {
    /// Limits of these values.
    public init(request: UInt32, reply: UInt32, cachedReply: UInt32, operations: UInt32, slots: UInt32) {
        self.request = request
        self.reply = reply
        self.cachedReply = cachedReply
        self.operations = operations
        self.slots = slots
    }
}

extension NFS4ExchangeCall {
    /// Arguments of these values.
    public init(verifier: UInt64, owner: [UInt8], flags: UInt32, protection: UInt32) {
        self.verifier = verifier
        self.owner = owner
        self.flags = flags
        self.protection = protection
    }
}

extension NFS4CreateSessionCall {
    /// Arguments of these values.
    public init(
        client: UInt64,
        sequence: UInt32,
        flags: UInt32,
        fore: NFS4ChannelLimits,
        back: NFS4ChannelLimits,
        program: UInt32,
        security: NFS4CallbackSecurity
    ) {
        self.client = client
        self.sequence = sequence
        self.flags = flags
        self.fore = fore
        self.back = back
        self.program = program
        self.security = security
    }
}

extension NFS4SequenceCall {
    /// Arguments of these values.
    public init(session: NFS4SessionID, sequence: UInt32, slot: UInt32, highestSlot: UInt32, keepsReply: Bool) {
        self.session = session
        self.sequence = sequence
        self.slot = slot
        self.highestSlot = highestSlot
        self.keepsReply = keepsReply
    }
}
