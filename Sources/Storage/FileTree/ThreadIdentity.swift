import CLinux

/// Whose rights file operations of this thread have (setfsuid(2), setfsgid(2), setgroups(2) of one thread).
///
/// One for each thread that serves; it must be made, used and dropped on that thread. The thread gets a umask of its own,
/// which is zero: modes are what clients say. It gives up CAP_SYS_RESOURCE, so that quotas hold for callers.
package struct ThreadIdentity: ~Copyable {
    /// Whose groups the thread has.
    private var grouped: Caller?
    /// The file system user of the thread.
    private var user: UInt32
    /// Whether a server that was killed may have done already what is done now: then a name that is gone was removed or moved
    /// by it, and one that is there was made by it.
    package var mayBeDone = false
    /// What the kernel takes from the mode of what is made, where the directory has no list for new files.
    package var mask: UInt32 = 0

    /// Throws `TreeError` when this process may not do that.
    package init() throws(TreeError) {
        user = 0
        grouped = nil
        guard clinux_own_umask() == 0 else { throw TreeError() }
        umask(0)
        guard clinux_obey_quotas() == 0 else { throw TreeError() }
        clinux_thread_user(0)
        guard clinux_thread_user(uid_t.max) == 0 else { throw TreeError(EPERM) }
    }

    deinit {
        clinux_thread_user(0)
        clinux_thread_group(0)
    }

    /// From here on the kernel checks what `caller` may do.
    package mutating func become(_ caller: Caller) throws(TreeError) {
        if let grouped, grouped === caller, user == caller.user { return }
        if grouped.map({ !$0.isSame(as: caller) }) ?? true {
            grouped = nil
            guard unsafe clinux_thread_groups(caller.groups.count, caller.groups) == 0 else { throw TreeError() }
            clinux_thread_group(caller.group)
            guard clinux_thread_group(gid_t.max) == CInt(bitPattern: caller.group) else { throw TreeError(EPERM) }
        }
        try set(user: caller.user)
        grouped = caller
    }

    /// Makes something with the mask of the client; the thread's own is zero before and after it.
    func masked(_ make: () -> CInt) -> CInt {
        guard mask != 0 else { return make() }
        umask(mask)
        defer { umask(0) }
        return make()
    }

    /// From here on everything is allowed; for what the server does on its own account.
    mutating func becomeRoot() throws(TreeError) { try set(user: 0) }

    private mutating func set(user wanted: UInt32) throws(TreeError) {
        guard user != wanted else { return }
        clinux_thread_user(wanted)
        // The call tells nothing about its success; asking for an impossible user tells the present one.
        guard clinux_thread_user(uid_t.max) == CInt(bitPattern: wanted) else { throw TreeError(EPERM) }
        user = wanted
    }
}
