import CLinux
import Synchronization

/// The files at hand, found by their handles; bounded, shared by all threads and exports of a server.
///
/// What was not used between two rounds of the clock's hand goes first, so a long listing does not push out what is in
/// use. What nobody asks for is let go after some seconds: a removed file gives its space back.
package final class ObjectCache: Sendable {
    /// Rounds after which an unused file open for writing is closed.
    static let writerRounds = 2
    /// Rounds after which an unused object is dropped.
    static let objectRounds = 10
    private static let shardBits = 4

    private struct Table {
        var places: [UInt64: Int] = [:]
        var objects: [TreeObject?] = []
        var free: [Int] = []
        var hand = 0
    }

    private final class Shard: Sendable { let table = Mutex(Table()) }

    private let shards = (0..<1 << shardBits).map { _ in Shard() }
    private let index = FileIndex()
    private let shardCapacity: Int

    /// A cache of at most `capacity` objects; each may hold three descriptors.
    package init(capacity: Int = 4096) { shardCapacity = max(4, capacity >> Self.shardBits) }

    private func shard(_ seal: UInt64) -> Shard { shards[Int(seal & (1 << Self.shardBits - 1))] }

    /// The object of a handle, opened by this tree.
    func find(_ handle: FileHandle, tree: UInt64) -> TreeObject? {
        let found = shard(handle.seal).table.withLock { table -> TreeObject? in
            guard let place = table.places[handle.seal] else { return nil }
            return table.objects[place]
        }
        guard let found, found.handle == handle, found.tree == tree else { return nil }
        if !found.used.load(ordering: .relaxed) { found.used.store(true, ordering: .relaxed) }
        return found
    }

    /// The object of a file by its number, opened by this tree.
    func find(file: UInt64, tree: UInt64) -> TreeObject? {
        guard let found = index.find(file, tree) else { return nil }
        if !found.used.load(ordering: .relaxed) { found.used.store(true, ordering: .relaxed) }
        return found
    }

    /// Keeps an object; gives the one that is kept when another thread was first.
    ///
    /// `isIndexed` when no other file of its tree can have its number.
    func insert(_ object: TreeObject, isIndexed: Bool) -> TreeObject {
        let seal = object.handle.seal
        // What is pushed out closes outside the lock.
        var dropped: TreeObject?
        let kept = shard(seal).table.withLock { table -> TreeObject in
            if let place = table.places[seal], let other = table.objects[place] {
                return other.handle == object.handle && other.tree == object.tree ? other : object
            }
            let place: Int
            if let free = table.free.popLast() {
                place = free
            } else if table.objects.count < shardCapacity {
                place = table.objects.count
                table.objects.append(nil)
            } else {
                place = Self.victim(&table)
                dropped = table.objects[place]
                if let dropped {
                    table.places[dropped.handle.seal] = nil
                    index.remove(dropped)
                }
            }
            table.objects[place] = object
            if isIndexed { index.insert(object) }
            table.places[seal] = place
            return object
        }
        return withExtendedLifetime(dropped) { kept }
    }

    private static func victim(_ table: inout Table) -> Int {
        for _ in 0..<2 * table.objects.count {
            table.hand = (table.hand + 1) % table.objects.count
            guard let object = table.objects[table.hand] else { return table.hand }
            if !object.used.exchange(false, ordering: .relaxed) { return table.hand }
        }
        return table.hand
    }

    /// Lets an object go, after its file was removed.
    func remove(_ handle: FileHandle) {
        let dropped = shard(handle.seal).table.withLock { table -> TreeObject? in
            guard let place = table.places[handle.seal], table.objects[place]?.handle == handle else { return nil }
            return take(place, &table)
        }
        withExtendedLifetime(dropped) {}
    }

    private func take(_ place: Int, _ table: inout Table) -> TreeObject? {
        let object = table.objects[place]
        if let object {
            table.places[object.handle.seal] = nil
            index.remove(object)
        }
        table.objects[place] = nil
        table.free.append(place)
        return object
    }

    /// Lets go of what was not used since the last rounds; called about every second.
    package func sweep() {
        for shard in shards {
            let (dropped, unused) = shard.table.withLock { table -> ([TreeObject], [TreeObject]) in
                var (dropped, unused): ([TreeObject], [TreeObject]) = ([], [])
                for place in table.objects.indices {
                    guard let object = table.objects[place] else { continue }
                    let isUsed = object.used.exchange(false, ordering: .relaxed)
                    let idle = object.open.withLock { open in
                        open.idle = isUsed ? 0 : open.idle + 1
                        // A writer keeps the server's own programs from running that file.
                        if open.idle >= Self.writerRounds { open.writer = nil }
                        return open.idle
                    }
                    if idle >= Self.objectRounds, let object = take(place, &table) {
                        dropped.append(object)
                    } else if idle > 0 {
                        unused.append(object)
                    }
                }
                return (dropped, unused)
            }
            // A file that was removed on the server itself gives its space back as soon as nobody uses it.
            for object in unused where object.isGone { remove(object.handle) }
            withExtendedLifetime(dropped) {}
        }
    }

    /// Lets everything go.
    package func removeAll() {
        for shard in shards {
            let old = shard.table.withLock { table in
                defer { table = Table() }
                for case let object? in table.objects { index.remove(object) }
                return table.objects
            }
            withExtendedLifetime(old) {}
        }
    }

    /// Lets everything of one tree go.
    func removeAll(of tree: UInt64) {
        for shard in shards {
            let dropped = shard.table.withLock { table in
                table.objects.indices.compactMap { place -> TreeObject? in
                    table.objects[place]?.tree == tree ? take(place, &table) : nil
                }
            }
            withExtendedLifetime(dropped) {}
        }
    }

    /// How many objects there are.
    package var count: Int { shards.reduce(0) { $0 + $1.table.withLock { $0.places.count } } }
}

extension ObjectCache {
    /// A cache as large as the descriptors of this process allow, after raising their number to the limit.
    package static func fittingDescriptorLimit() -> ObjectCache {
        var limit = rlimit()
        guard unsafe clinux_descriptor_limit(&limit) == 0 else { return ObjectCache(capacity: 128) }
        let descriptors = Int(min(limit.rlim_cur, 1 << 20))
        // Up to three descriptors for an object, and for all else as many again, or a quarter of what is plenty.
        return ObjectCache(capacity: min(32768, max(64, descriptors / (descriptors < 16384 ? 6 : 4))))
    }
}
