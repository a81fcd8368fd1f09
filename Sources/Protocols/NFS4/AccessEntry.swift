import XDR

/// One entry of an access list (nfsace4; RFC 8881, section 6.2.1): who may, or may not, do what.
public struct NFS4AccessEntry: Hashable, Sendable {
    /// Whom it is about.
    public enum Who: Hashable, Sendable {
        /// OWNER@: whoever owns the file.
        case owner
        /// GROUP@: who is in its group.
        case group
        /// EVERYONE@: all, those above too.
        case everyone
        /// A user.
        case user(UInt32)
        /// Who is in a group.
        case members(UInt32)
    }

    /// Whether it denies; otherwise it allows.
    public var denies: Bool
    /// ACE4_FILE_INHERIT_ACE, _DIRECTORY_INHERIT_ACE and _INHERIT_ONLY_ACE.
    public var inheritance: UInt32
    /// What it is about, in bits.
    public var rights: UInt32
    /// Whom it is about.
    public var who: Who

    /// An entry of these parts.
    public init(denies: Bool = false, inheritance: UInt32 = 0, rights: UInt32, who: Who) {
        self.denies = denies
        self.inheritance = inheritance
        self.rights = rights
        self.who = who
    }

    /// Most entries that a list may have.
    public static let limit = 512
    /// ACE4_FILE_INHERIT_ACE and ACE4_DIRECTORY_INHERIT_ACE: what is made in the directory gets it too.
    public static let inherits: UInt32 = 0x3
    /// ACE4_INHERIT_ONLY_ACE: it says nothing of the directory itself.
    public static let inheritsOnly: UInt32 = 0x8
    private static let isGroup: UInt32 = 0x40

    /// Reads one; throws `NFS4Status` for kinds and flags that are not kept (ATTRNOTSUPP, INVAL) and for nobody (BADOWNER).
    @_lifetime(reader: copy reader)
    init(decoding reader: inout XDRReader) throws {
        let type = try reader.readUInt32()
        let flags = try reader.readUInt32()
        rights = try reader.readUInt32()
        let name = try reader.readBytes(limit: NFS4.opaqueLimit)
        // ALLOW and DENY; what is left are audits and alarms.
        guard type <= 1 else { throw NFS4Status.attributeNotSupported }
        denies = type == 1
        inheritance = flags & (Self.inherits | Self.inheritsOnly)
        guard flags & ~(inheritance | Self.isGroup) == 0 else { throw NFS4Status.invalid }
        switch name {
        case Array("OWNER@".utf8): who = .owner
        case Array("GROUP@".utf8): who = .group
        case Array("EVERYONE@".utf8): who = .everyone
        default:
            guard let number = NFS4NewAttributes.number(name) else { throw NFS4Status.badOwner }
            who = flags & Self.isGroup != 0 ? .members(number) : .user(number)
        }
    }

    /// Writes it.
    func encode(into writer: inout XDRWriter) {
        writer.write(denies ? 1 : 0 as UInt32)
        let isOfGroup =
            switch who {
            case .group, .members: true
            default: false
            }
        writer.write(inheritance | (isOfGroup ? Self.isGroup : 0))
        writer.write(rights)
        switch who {
        case .owner: writer.writeOpaque(Array("OWNER@".utf8))
        case .group: writer.writeOpaque(Array("GROUP@".utf8))
        case .everyone: writer.writeOpaque(Array("EVERYONE@".utf8))
        case .user(let number), .members(let number): NFS4Attributes.encode(number: number, into: &writer)
        }
    }
}
