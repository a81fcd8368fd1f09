import Synchronization

/// The files at hand by their number in the file system.
///
/// A number means the same file as long as the object is here: what its descriptor pins cannot be given away.
final class FileIndex: Sendable {
    private final class Part: Sendable { let objects = Mutex<[UInt64: TreeObject]>([:]) }

    private static let bits = 4
    private let parts = (0..<1 << bits).map { _ in Part() }

    private func part(_ file: UInt64) -> Part { parts[Int(file & (1 << Self.bits - 1))] }

    private static func key(_ file: UInt64, _ tree: UInt64) -> UInt64 { file ^ tree &* 0x9e37_79b9_7f4a_7c15 }

    /// The object of a file that this tree opened.
    func find(_ file: UInt64, _ tree: UInt64) -> TreeObject? {
        let found = part(file).objects.withLock { $0[Self.key(file, tree)] }
        guard let found, found.file == file, found.tree == tree else { return nil }
        return found
    }

    func insert(_ object: TreeObject) {
        part(object.file).objects.withLock { $0[Self.key(object.file, object.tree)] = object }
    }

    func remove(_ object: TreeObject) {
        part(object.file).objects.withLock { objects in
            let key = Self.key(object.file, object.tree)
            if objects[key] === object { objects[key] = nil }
        }
    }
}
