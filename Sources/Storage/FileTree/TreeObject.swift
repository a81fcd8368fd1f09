import CLinux
import Locking
import Synchronization

/// A descriptor that closes with its last owner.
package final class TreeDescriptor: Sendable {
    /// The kernel's number.
    package let number: CInt
    /// How many descriptors of this kind there are.
    private let count: DescriptorCount?

    init(_ number: CInt, countedBy count: DescriptorCount? = nil) {
        self.number = number
        self.count = count
        count?.value.wrappingAdd(1, ordering: .relaxed)
    }

    deinit {
        close(number)
        count?.value.wrappingSubtract(1, ordering: .relaxed)
    }
}

/// How many descriptors of one kind are open.
final class DescriptorCount: Sendable { let value = Atomic(0) }

// Not checked: the lock is a pointer, which is set once.
/// A file that is kept at hand: pinned by a descriptor that grants nothing (O_PATH) until the file is read, by the one that
/// reads from then on; the one that writes is beside it.
@safe package final class TreeObject: @unchecked Sendable {
    /// What names it.
    package let handle: FileHandle
    /// What kind of file; that never changes.
    package let kind: FileKind
    /// Its number in the file system.
    package let file: UInt64
    let pin: TreeDescriptor
    /// Which tree opened it: two trees of one directory are two mounts, between which nothing can be moved.
    let tree: UInt64
    let open = UnfairLock(OpenFiles())
    /// Held while the file is changed; a plain lock, for the changes are several calls of the server.
    private let changing = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// How often the cache has looked since it was used.
    let age = Atomic<UInt8>(1)
    private let size: Atomic<UInt64>

    /// An open file, who opened it, and the rights that granted it.
    struct OpenFile {
        var descriptor: TreeDescriptor
        var caller: Caller
        var granted: FileRights
    }

    struct OpenFiles {
        var reader: OpenFile?
        var writer: OpenFile?
    }

    init(_ handle: FileHandle, _ pin: TreeDescriptor, _ attributes: FileAttributes, tree: UInt64) {
        self.tree = tree
        self.handle = handle
        self.pin = pin
        kind = attributes.kind
        file = UInt64(attributes.status.st_ino)
        size = Atomic(attributes.size)
        unsafe changing.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(changing, nil)
    }

    deinit {
        unsafe pthread_mutex_destroy(changing)
        unsafe changing.deallocate()
    }

    /// Keeps other changes away until `unlockChanges`, so that what is told of before and after belongs together.
    package func lockChanges() { unsafe pthread_mutex_lock(changing) }

    /// Ends `lockChanges`, on the same thread.
    package func unlockChanges() { unsafe pthread_mutex_unlock(changing) }

    /// Locks two objects, always in the same order; they may be one.
    package static func lockChanges(_ one: TreeObject, _ other: TreeObject) {
        guard one !== other else { return one.lockChanges() }
        let isFirst = ObjectIdentifier(one) < ObjectIdentifier(other)
        (isFirst ? one : other).lockChanges()
        (isFirst ? other : one).lockChanges()
    }

    /// Ends `lockChanges` of two.
    package static func unlockChanges(_ one: TreeObject, _ other: TreeObject) {
        one.unlockChanges()
        if one !== other { other.unlockChanges() }
    }

    /// The attributes as they are now.
    ///
    /// Throws `stale` when its last name is gone: no client can have it open, for they rename what is in use.
    package func attributes() throws(TreeError) -> FileAttributes {
        let attributes = try FileAttributes.of(pin.number)
        guard attributes.status.st_nlink > 0 else { throw .stale }
        noteSize(attributes)
        return attributes
    }

    /// How long it was when that was noted last: a hint, for who can do without the truth.
    package var lastSize: UInt64 { size.load(ordering: .relaxed) }

    /// Notes how long it is.
    package func noteSize(_ attributes: FileAttributes) {
        if lastSize != attributes.size { size.store(attributes.size, ordering: .relaxed) }
    }

    /// Notes that it was written up to a place.
    package func noteWritten(upTo end: UInt64) { if lastSize < end { size.store(end, ordering: .relaxed) } }

    /// Notes that it is in use.
    func noteUse() { if age.load(ordering: .relaxed) != 0 { age.store(0, ordering: .relaxed) } }

    /// Whether its last name was removed.
    var isGone: Bool { (try? FileAttributes.of(pin.number).status.st_nlink) == 0 }
}

extension TreeObject {
    /// As `attributes`, also when its last name is gone: for who has it open.
    package func remainingAttributes() throws(TreeError) -> FileAttributes { try FileAttributes.of(pin.number) }
}
