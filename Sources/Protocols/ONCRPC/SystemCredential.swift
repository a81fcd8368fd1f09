public import XDR

/// The body of an AUTH_SYS credential (RFC 5531, appendix A).
public struct RPCSystemCredential: Hashable, Sendable {
    /// The most further groups it may name.
    public static let groupLimit = 16

    /// Chosen by the client; without meaning.
    public var stamp: UInt32
    /// What the client calls itself; not to be trusted.
    public var machine: [UInt8]
    /// The user.
    public var user: UInt32
    /// The group.
    public var group: UInt32
    /// Further groups.
    public var groups: [UInt32]

    /// A credential.
    public init(stamp: UInt32 = 0, machine: [UInt8] = [], user: UInt32, group: UInt32, groups: [UInt32] = []) {
        self.stamp = stamp
        self.machine = machine
        self.user = user
        self.group = group
        self.groups = groups
    }

    /// Decodes the body, which must hold nothing else.
    public init(decoding bytes: RawSpan) throws(XDRError) {
        var reader = XDRReader(bytes)
        stamp = try reader.readUInt32()
        machine = try reader.readBytes(limit: 255)
        user = try reader.readUInt32()
        group = try reader.readUInt32()
        let start = reader.offset
        let count = Int(try reader.readUInt32())
        guard count <= Self.groupLimit else {
            throw .tooLong(offset: start, count: count, limit: Self.groupLimit)
        }
        groups = []
        for _ in 0..<count { groups.append(try reader.readUInt32()) }
        guard reader.remaining == 0 else { throw .invalid(offset: reader.offset, value: UInt32(reader.remaining)) }
    }

    /// Writes the body.
    public func encode(into writer: inout XDRWriter) {
        writer.write(stamp)
        writer.writeOpaque(machine)
        writer.write(user)
        writer.write(group)
        writer.write(UInt32(groups.count))
        for group in groups { writer.write(group) }
    }
}
