public import BootModel
internal import CLinux

extension ImageStore {
    /// Removes a version; its number is never given again.
    ///
    /// `users` tells which running nodes use a version; unless `force` is set, one of them is enough to refuse. A
    /// process that has the files open keeps them until it closes them.
    public func remove(
        _ id: ImageVersionID,
        force: Bool = false,
        users: (ImageVersionID) throws -> [String]
    ) throws {
        try checkRemoval(of: id, force: force, users: users)
        // The number must survive the version, also one that was put there by hand.
        try keepNumber(id)
        let place = path(of: id.name) + "/.removing-\(id.number)"
        guard unsafe rename(path(of: id), place) == 0 else {
            throw ImageStoreError.lastSystemError("remove", path(of: id))
        }
        forget(id)
        try DurableFiles.seal(path(of: id.name))
        try TreeRemoval.remove(place)
    }

    /// Throws what stands in the way of removing a version; removes nothing.
    public func checkRemoval(
        of id: ImageVersionID,
        force: Bool = false,
        users: (ImageVersionID) throws -> [String]
    ) throws {
        let numbers = try numbers(of: id.name)
        guard !numbers.isEmpty else { throw ImageStoreError.unknownImage(id.name, known: try names()) }
        guard numbers.contains(id.number) else { throw ImageStoreError.unknownVersion(id, known: numbers) }
        if !force {
            let nodes = try users(id)
            guard nodes.isEmpty else { throw ImageStoreError.inUse(id, nodes: nodes) }
        }
    }

    private func keepNumber(_ id: ImageVersionID) throws(ImageStoreError) {
        let path = path(of: id.name) + "/.last"
        let text = try DurableFiles.read(path, limit: 64) ?? []
        let last = Self.number(String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)) ?? 0
        if id.number > last { try DurableFiles.replace(path, with: Array("\(id.number)\n".utf8)) }
    }
}
