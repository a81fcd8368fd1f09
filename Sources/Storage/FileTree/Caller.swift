/// Who asks: the user and groups whose rights the kernel checks.
package final class Caller: Sendable {
    /// The user.
    package let user: UInt32
    /// The group that new files get.
    package let group: UInt32
    /// Further groups.
    package let groups: [UInt32]

    package init(user: UInt32, group: UInt32, groups: [UInt32] = []) {
        self.user = user
        self.group = group
        self.groups = groups
    }

    /// The server itself.
    package static let root = Caller(user: 0, group: 0)

    /// Whether both have the same rights.
    func isSame(as other: Caller) -> Bool {
        self === other || (user == other.user && group == other.group && groups == other.groups)
    }
}

/// Whose requests an export does not believe, and who they become (as "squash" in exports(5)).
package struct SquashRule: Sendable {
    /// Which users are replaced.
    package enum Whom: String, Sendable, CaseIterable {
        /// root, the default: a client's root is nobody here.
        case root
        /// Everybody.
        case all
        /// Nobody: right for a node's own root only.
        case none
    }
    /// Which users are replaced.
    package var whom: Whom
    /// Who they become.
    package var user: UInt32
    /// Their group.
    package var group: UInt32

    package init(_ whom: Whom = .root, user: UInt32 = 65534, group: UInt32 = 65534) {
        self.whom = whom
        self.user = user
        self.group = group
    }

    /// Whose rights a caller has here; nil is a caller without a name.
    package func effective(_ caller: Caller?) -> Caller {
        guard whom != .all, let caller else { return Caller(user: user, group: group) }
        guard whom == .root else { return caller }
        let noUser = caller.user == 0
        guard noUser || caller.group == 0 || caller.groups.contains(0) else { return caller }
        return Caller(
            user: noUser ? user : caller.user,
            group: caller.group == 0 ? group : caller.group,
            groups: caller.groups.map { $0 == 0 ? group : $0 }
        )
    }
}
