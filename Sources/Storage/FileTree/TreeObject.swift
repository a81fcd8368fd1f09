import CLinux
import Synchronization

/// A descriptor that closes with its last owner.
package final class TreeDescriptor: Sendable {
    /// The kernel's number.
    package let number: CInt
    init(_ number: CInt) { self.number = number }
    deinit { close(number) }
}

// Not checked: the lock is a pointer, which is set once.
/// A file that is kept at hand: pinned by a descriptor that grants nothing (O_PATH), with the open ones beside it.
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
    let open = Mutex(OpenFiles())
    /// Held while the file is changed; a plain lock, for the changes are several calls of the server.
    private let changing = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// Whether it was used since the cache looked last.
    let used = Atomic(false)

    /// An open file, who opened it, and the rights that granted it.
    struct OpenFile {
        var descriptor: TreeDescriptor
        var caller: Caller
        var granted: FileRights
    }

    struct OpenFiles {
        var reader: OpenFile?
        var writer: OpenFile?
        /// How often the cache found it unused, one time after another.
        var idle = 0
    }

    init(_ handle: FileHandle, _ pin: TreeDescriptor, _ attributes: FileAttributes, tree: UInt64) {
        self.tree = tree
        self.handle = handle
        self.pin = pin
        kind = attributes.kind
        file = UInt64(attributes.status.st_ino)
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
        return attributes
    }

    /// Whether its last name was removed.
    var isGone: Bool { (try? FileAttributes.of(pin.number).status.st_nlink) == 0 }
}

extension TreeObject {
    /// As `attributes`, also when its last name is gone: for who has it open.
    package func remainingAttributes() throws(TreeError) -> FileAttributes { try FileAttributes.of(pin.number) }
}
