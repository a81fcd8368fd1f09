import CLinux

/// Attributes with names of the user's own (xattr(7), "user."); names here are without that prefix.
extension FileTree {
    /// The longest value, in bytes (XATTR_SIZE_MAX).
    package static let attributeLimit = 65536

    /// What an attribute says; throws ENODATA when there is none, also where there can be none.
    package func attribute(
        _ name: [UInt8],
        of object: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> [UInt8] {
        guard Self.mayHaveAttributes(object) else { throw TreeError(ENODATA) }
        let name = try Self.attributeName(name, object)
        try thread.become(caller)
        var value = [UInt8](repeating: 0, count: Self.attributeLimit)
        let count = unsafe clinux_get_attribute(object.pin.number, name, &value, value.count)
        guard count >= 0 else { throw clinux_errno() == EOPNOTSUPP ? TreeError(ENODATA) : TreeError() }
        return Array(value.prefix(count))
    }

    /// Sets an attribute; `flags` as in setxattr(2).
    package func setAttribute(
        _ name: [UInt8],
        to value: [UInt8],
        flags: CInt,
        of object: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) {
        let name = try Self.attributeName(name, object)
        try thread.become(caller)
        try checked(unsafe clinux_set_attribute(object.pin.number, name, value, value.count, flags))
    }

    /// Removes an attribute.
    package func removeAttribute(
        _ name: [UInt8],
        of object: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) {
        let name = try Self.attributeName(name, object)
        try thread.become(caller)
        try checked(unsafe clinux_remove_attribute(object.pin.number, name))
    }

    /// The names of all attributes; none where there can be none.
    ///
    /// Not a refusal: clients that lay an overlay over such a tree list what they copy (Linux 6.1 then fails with error 524).
    package func attributeNames(
        of object: TreeObject,
        as caller: Caller,
        on thread: inout ThreadIdentity
    ) throws(TreeError) -> [[UInt8]] {
        guard Self.mayHaveAttributes(object) else { return [] }
        try thread.become(caller)
        var names = [CChar](repeating: 0, count: 65536)
        let count = unsafe clinux_list_attributes(object.pin.number, &names, names.count)
        guard count >= 0 else {
            guard clinux_errno() == EOPNOTSUPP else { throw TreeError() }
            return []
        }
        let prefix = Array("user.".utf8)
        return names.prefix(count).split(separator: 0).compactMap { name in
            let bytes = name.map { UInt8(bitPattern: $0) }
            return bytes.starts(with: prefix) ? Array(bytes.dropFirst(prefix.count)) : nil
        }
    }

    /// Links, devices and pipes have none, and must not be followed or opened.
    private static func mayHaveAttributes(_ object: TreeObject) -> Bool {
        object.kind == .regular || object.kind == .directory
    }

    private static func attributeName(_ name: [UInt8], _ object: TreeObject) throws(TreeError) -> [CChar] {
        guard mayHaveAttributes(object) else { throw TreeError(EOPNOTSUPP) }
        guard !name.isEmpty, !name.contains(0) else { throw TreeError(EINVAL) }
        guard name.count <= 250 else { throw TreeError(ENAMETOOLONG) }
        return ("user.".utf8.map { CChar(bitPattern: $0) }) + name.map { CChar(bitPattern: $0) } + [0]
    }
}
