/// The rights of a file as the kernel checks them (acl(5)): its mode, with further users and groups.
///
/// Rights are bits as in a mode: 4 reads, 2 writes, 1 runs. What entries of RFC 8881 can say beyond that is not kept.
public struct NFS4PosixAccess: Equatable, Sendable {
    /// A user or a group of its own.
    public struct Named: Equatable, Sendable {
        /// Its number.
        public var number: UInt32
        /// Its rights.
        public var rights: UInt32

        /// A user or group with rights.
        public init(number: UInt32, rights: UInt32) {
            self.number = number
            self.rights = rights
        }
    }

    /// Rights of the owner.
    public var owner: UInt32
    /// Of the file's group.
    public var group: UInt32
    /// Of all others.
    public var other: UInt32
    /// Users of their own.
    public var users: [Named] = []
    /// Groups of their own.
    public var groups: [Named] = []
    /// What all but the owner and the others have at most; it is there with users or groups of their own.
    public var mask: UInt32?

    /// What a mode says.
    public init(mode: UInt32) {
        owner = mode >> 6 & 7
        group = mode >> 3 & 7
        other = mode & 7
    }

    /// Whether a mode says it all.
    public var isMode: Bool { users.isEmpty && groups.isEmpty }

    // MARK: As entries

    private static let reads: UInt32 = 0x1
    /// ACE4_WRITE_DATA and _APPEND_DATA.
    private static let writes: UInt32 = 0x6
    /// ACE4_DELETE_CHILD.
    private static let deletes: UInt32 = 0x40
    private static let runs: UInt32 = 0x20
    /// ACE4_READ_ATTRIBUTES, _READ_ACL and _SYNCHRONIZE: what nobody is refused.
    private static let everybody: UInt32 = 0x80 | 0x2_0000 | 0x10_0000
    /// ACE4_WRITE_ATTRIBUTES and _WRITE_ACL.
    private static let owners: UInt32 = 0x100 | 0x4_0000

    private static func bits(_ rights: UInt32, _ isDirectory: Bool) -> UInt32 {
        (rights & 4 != 0 ? reads : 0) | (rights & 2 != 0 ? writes | (isDirectory ? deletes : 0) : 0)
            | (rights & 1 != 0 ? runs : 0)
    }

    /// The rights as a list; each of them comes before what would grant more to the same user.
    public func entries(isDirectory: Bool, inheritance: UInt32 = 0) -> [NFS4AccessEntry] {
        let most = mask ?? 7
        let users = users.map { Named(number: $0.number, rights: $0.rights & most) }
        let groups = groups.map { Named(number: $0.number, rights: $0.rights & most) }
        let group = group & most
        var list: [NFS4AccessEntry] = []
        func deny(_ rights: UInt32, _ who: NFS4AccessEntry.Who) {
            guard rights != 0 else { return }
            let bits = Self.bits(rights, isDirectory)
            list.append(NFS4AccessEntry(denies: true, inheritance: inheritance, rights: bits, who: who))
        }
        func allow(_ rights: UInt32, _ who: NFS4AccessEntry.Who, _ more: UInt32 = 0) {
            let bits = Self.bits(rights, isDirectory) | Self.everybody | more
            list.append(NFS4AccessEntry(inheritance: inheritance, rights: bits, who: who))
        }
        let later = groups.reduce(group | other) { $0 | $1.rights }
        deny(users.reduce(later) { $0 | $1.rights } & ~owner, .owner)
        allow(owner, .owner, Self.owners)
        for user in users {
            deny(later & ~user.rights, .user(user.number))
            allow(user.rights, .user(user.number))
        }
        allow(group, .group)
        for group in groups { allow(group.rights, .members(group.number)) }
        // Not before: who is in two groups has the rights of both.
        deny(other & ~group, .group)
        for group in groups { deny(other & ~group.rights, .members(group.number)) }
        allow(other, .everyone)
        return list
    }

    // MARK: From entries

    private struct Rights {
        var allowed: UInt32 = 0
        var denied: UInt32 = 0

        mutating func allow(_ rights: UInt32) { allowed |= rights & ~denied }
        mutating func deny(_ rights: UInt32) { denied |= rights & ~allowed }
    }

    /// The most that the kernel can keep of a list without letting anybody do more than the list does.
    ///
    /// Who is in which group is not known: what a group is denied is denied to all that it may hold.
    public init(_ list: [NFS4AccessEntry], isDirectory: Bool) {
        var (owner, group, everyone) = (Rights(), Rights(), Rights())
        // What holds for a user or group that is named for the first time.
        var anybody = Rights()
        var users: [(number: UInt32, rights: Rights)] = []
        var groups: [(number: UInt32, rights: Rights)] = []
        func place(_ number: UInt32, _ list: inout [(number: UInt32, rights: Rights)]) -> Int {
            if let known = list.firstIndex(where: { $0.number == number }) { return known }
            list.append((number, anybody))
            return list.count - 1
        }
        for entry in list {
            let rights = Self.rights(entry, isDirectory)
            func apply(_ target: inout Rights) { if entry.denies { target.deny(rights) } else { target.allow(rights) } }
            switch entry.who {
            case .owner: apply(&owner)
            case .user(let number):
                let index = place(number, &users)
                apply(&users[index].rights)
                // It may be the owner.
                if entry.denies { owner.deny(rights) }
            case .group, .members:
                if case .members(let number) = entry.who {
                    let index = place(number, &groups)
                    apply(&groups[index].rights)
                } else {
                    apply(&group)
                }
                guard entry.denies else { continue }
                owner.deny(rights)
                group.deny(rights)
                anybody.deny(rights)
                for index in users.indices { users[index].rights.deny(rights) }
                for index in groups.indices { groups[index].rights.deny(rights) }
            case .everyone:
                for index in users.indices { apply(&users[index].rights) }
                for index in groups.indices { apply(&groups[index].rights) }
                apply(&owner)
                apply(&group)
                apply(&everyone)
                apply(&anybody)
            }
        }
        self.owner = owner.allowed
        self.group = group.allowed
        other = everyone.allowed
        self.users = users.map { Named(number: $0.number, rights: $0.rights.allowed) }.sorted { $0.number < $1.number }
        self.groups = groups.map { Named(number: $0.number, rights: $0.rights.allowed) }.sorted {
            $0.number < $1.number
        }
        if !isMode { mask = (self.users + self.groups).reduce(self.group) { $0 | $1.rights } }
    }

    /// Bits of a mode: all of a right must be allowed, and any of it denied.
    private static func rights(_ entry: NFS4AccessEntry, _ isDirectory: Bool) -> UInt32 {
        var result: UInt32 = 0
        for right in [4, 2, 1] as [UInt32] {
            let bits = bits(right, isDirectory)
            if entry.denies ? entry.rights & bits != 0 : entry.rights & bits == bits { result |= right }
        }
        return result
    }
}
