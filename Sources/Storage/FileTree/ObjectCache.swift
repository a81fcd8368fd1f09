import CLinux
import Locking
import Synchronization

/// The files at hand, found by their handles; bounded, shared by all threads and exports of a server.
///
/// What was not used for some seconds makes room for others. While all are in use, newcomers replace each other in a small
/// part of the places: walking through more files than there is room for, again and again, finds most of them at hand, where
/// replacing the oldest would find none. What nobody asks for is let go after some seconds more: a removed file gives its
/// space back.
package final class ObjectCache: Sendable {
    /// Rounds after which an unused file open for writing is closed.
    static let writerRounds = 2
    /// Rounds after which an unused object is dropped.
    static let objectRounds = 10
    /// Rounds after which an unused object makes room for others.
    private static let spareRounds: UInt8 = 4
    private static let shardBits = 4

    private struct Table {
        var places: [UInt64: Int] = [:]
        var objects: [TreeObject?] = []
        var free: [Int] = []
        /// Where an object was looked at last that may make room.
        var hand = 0
        /// Where a newcomer came last while all were in use.
        var newcomer = 0
    }

    private final class Shard: Sendable { let table = UnfairLock(Table()) }

    private let shards = (0..<1 << shardBits).map { _ in Shard() }
    private let index = FileIndex()
    private let shardCapacity: Int
    /// Of them, how many are for newcomers while all are in use.
    private let shardNewcomers: Int
    /// The files open for writing.
    let writers = DescriptorCount()
    private let writerLimit: Int

    /// A cache of at most `capacity` objects of one descriptor each, and `writers` more for those that are written to.
    package init(capacity: Int = 4096, writers: Int = 1024) {
        shardCapacity = max(4, capacity >> Self.shardBits)
        shardNewcomers = max(1, shardCapacity / 8)
        writerLimit = writers
    }

    /// Whether what was just opened for writing may stay open.
    var hasRoomForWriter: Bool { writers.value.load(ordering: .relaxed) <= writerLimit }

    private func shard(_ seal: UInt64) -> Shard { shards[Int(seal & (1 << Self.shardBits - 1))] }

    /// The object of a handle, opened by this tree.
    func find(_ handle: FileHandle, tree: UInt64) -> TreeObject? {
        let found = shard(handle.seal).table.withLock { table -> TreeObject? in
            guard let place = table.places[handle.seal] else { return nil }
            return table.objects[place]
        }
        guard let found, found.handle == handle, found.tree == tree else { return nil }
        found.noteUse()
        return found
    }

    /// The object of a file by its number, opened by this tree.
    func find(file: UInt64, tree: UInt64) -> TreeObject? {
        guard let found = index.find(file, tree) else { return nil }
        found.noteUse()
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
                place = victim(&table)
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

    /// The place that a newcomer takes when there is no free one.
    private func victim(_ table: inout Table) -> Int {
        let others = shardCapacity - shardNewcomers
        // Two for each newcomer find whatever is spare soon enough.
        for _ in 0..<2 {
            table.hand = (table.hand + 1) % others
            guard let object = table.objects[table.hand] else { return table.hand }
            if object.age.load(ordering: .relaxed) >= Self.spareRounds { return table.hand }
        }
        table.newcomer = (table.newcomer + 1) % shardNewcomers
        return others + table.newcomer
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
                    let idle = Int(object.age.wrappingAdd(1, ordering: .relaxed).oldValue)
                    // A writer keeps the server's own programs from running that file.
                    if idle >= Self.writerRounds { object.open.withLock { $0.writer = nil } }
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
        guard unsafe clinux_descriptor_limit(&limit) == 0 else { return ObjectCache(capacity: 128, writers: 128) }
        let descriptors = Int(min(limit.rlim_cur, 1 << 20))
        // For all else as many again, or a quarter of what is plenty.
        let share = max(256, descriptors < 16384 ? descriptors / 2 : descriptors / 4 * 3)
        return ObjectCache(capacity: min(32768, share / 16 * 15), writers: min(32768, share / 16))
    }
}
