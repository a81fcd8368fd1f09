import CLinux
import Synchronization

/// The copy-on-write layers that this process has open, each once.
///
/// A node that lost its power leaves a session behind; its next session must get the same open layer and not a second
/// one beside it. A layer closes when nobody uses it any more.
public final class CopyOnWriteLayers: Sendable {
    /// One directory; its lock is held while the layer is opened or removed, so that others need not wait for the disk.
    private final class Place: Sendable {
        struct Weak { weak var storage: CopyOnWriteStorage? }
        let layer = Mutex(Weak())
    }
    private struct Entry {
        let place = Place()
        /// How many calls are about to use the place, or use it.
        var users = 0
    }
    private let places = Mutex<[String: Entry]>([:])
    private let kernel: String

    /// No layer open yet.
    ///
    /// Throws when the running kernel does not say who it is.
    public convenience init() throws(BlockStorageOpenError) { self.init(kernel: try RunningKernel.identity()) }

    /// As if the running kernel had this identity.
    package init(kernel: String) { self.kernel = kernel }

    /// The layer in `directory` over `base`, made when it does not exist.
    ///
    /// `identity` names the base's content for ever (an image's digest): a layer over another base is refused. Throws
    /// `BlockStorageOpenError`.
    public func open(
        directory: String,
        over base: any BlockStorage,
        identity: String
    ) throws(BlockStorageOpenError) -> CopyOnWriteStorage {
        try using(directory) { layer throws(BlockStorageOpenError) in
            if let storage = layer.storage { return storage }
            let storage = try CopyOnWriteDirectory(path: directory)
                .open(over: base, identity: identity, kernel: kernel)
            layer.storage = storage
            return storage
        }
    }

    /// Runs `body` while no other thread opens or removes the layer in `directory`.
    private func using<Result: Sendable>(
        _ directory: String,
        _ body: (inout Place.Weak) throws(BlockStorageOpenError) -> Result
    ) throws(BlockStorageOpenError) -> Result {
        let place = places.withLock { places in
            // Whoever else uses a place has counted itself, so nobody holds the lock of those without users.
            places = places.filter { entry in
                entry.value.users > 0 || entry.value.place.layer.withLock { $0.storage != nil }
            }
            places[directory, default: Entry()].users += 1
            return places[directory]?.place ?? Place()
        }
        defer { places.withLock { $0[directory]?.users -= 1 } }
        return try place.layer.withLock { layer throws(BlockStorageOpenError) in try body(&layer) }
    }

    /// Removes the layer in `directory`; sessions that still use it go on without a name.
    ///
    /// Throws `BlockStorageOpenError`; a layer that does not exist is removed already.
    public func remove(directory: String) throws(BlockStorageOpenError) {
        try using(directory) { layer throws(BlockStorageOpenError) in
            layer.storage = nil
            try CopyOnWriteDirectory(path: directory).remove()
            FlushGate.forget(directory)
        }
    }
}
