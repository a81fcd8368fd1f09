import CLinux

/// Access lists in the form in which the kernel gives and takes them (acl(5), xattr(7)).
extension FileTree {
    /// Which list of a file.
    package enum AccessList: Sendable {
        /// Who may use it.
        case ofFile
        /// What is made in a directory begins with it.
        case ofNewFiles

        fileprivate var name: String {
            self == .ofFile ? "system.posix_acl_access" : "system.posix_acl_default"
        }
    }

    /// A list of a file; nil when it has none beside its mode, also where there can be none.
    package func accessList(
        _ list: AccessList,
        of object: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> [UInt8]? {
        // Links, devices and pipes have none that is shown.
        guard object.kind == .directory || object.kind == .regular && list == .ofFile else { return nil }
        try thread.become(caller)
        var value = [UInt8](repeating: 0, count: Self.attributeLimit)
        let count = unsafe clinux_get_attribute(object.pin.number, list.name, &value, value.count)
        if count >= 0 { return Array(value.prefix(count)) }
        guard clinux_errno() == ENODATA || clinux_errno() == EOPNOTSUPP else { throw TreeError() }
        return nil
    }

    /// Sets a list of a file; nil removes it.
    package func setAccessList(
        _ list: AccessList,
        to value: [UInt8]?,
        of object: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) {
        guard object.kind == .directory || object.kind == .regular && list == .ofFile else {
            throw TreeError(EOPNOTSUPP)
        }
        try thread.become(caller)
        if let value {
            try checked(unsafe clinux_set_attribute(object.pin.number, list.name, value, value.count, 0))
        } else if unsafe clinux_remove_attribute(object.pin.number, list.name) != 0 {
            guard clinux_errno() == ENODATA else { throw TreeError() }
        }
    }
}
