import CLinux
import NetworkIO
import Synchronization

/// Files that stay open between requests: opening one costs more than answering from it.
///
/// A file is looked up anew when the last look is more than a second old, so a replaced file shows within a second; what was
/// begun goes on with the file that it began with. Files nobody asked for in ten seconds are closed, so that a removed one
/// gives its room back.
public final class OpenFiles: Sendable {
    private static let freshNanoseconds: UInt64 = 1_000_000_000

    private let files = Mutex<[String: OpenFile]>([:])
    private let capacity: Int
    private let keptNanoseconds: UInt64

    /// Keeps at most `capacity` files open, each for `keptSeconds` after it was asked for.
    public init(capacity: Int = 512, keptSeconds: Int = 10) {
        self.capacity = max(1, capacity)
        keptNanoseconds = UInt64(max(1, keptSeconds)) * 1_000_000_000
    }

    /// The file kept under `key`, or what `open` gives, which is kept.
    ///
    /// Throws what `open` throws.
    public func file<Failure: Error>(
        _ key: String,
        open: () throws(Failure) -> HTTPFile
    ) throws(Failure) -> HTTPFile {
        let now = coarseNow()
        if let kept = files.withLock({ $0[key] }), kept.isCurrent(now) {
            kept.used.store(now, ordering: .relaxed)
            return kept.file
        }
        let opened: HTTPFile
        do {
            opened = try open()
        } catch {
            files.withLock {
                $0[key]?.drop(); $0[key] = nil
            }
            throw error
        }
        return files.withLock { files in
            if let kept = files[key], kept.isSame(as: opened) {
                kept.confirm(now)
                return kept.file
            }
            files[key]?.drop()
            if files.count >= capacity {
                files.values.forEach { $0.drop() }
                files = [:]
            }
            let kept = OpenFile(opened, now)
            files[key] = kept
            return kept.file
        }
    }

    /// Closes what nobody asked for lately; false when nothing is left.
    func closeUnused() -> Bool {
        let now = coarseNow()
        return files.withLock { files in
            for (key, kept) in files where now > kept.used.load(ordering: .relaxed) + keptNanoseconds {
                kept.drop()
                files[key] = nil
            }
            return !files.isEmpty
        }
    }

    /// Whether none is kept.
    var isEmpty: Bool { files.withLock { $0.isEmpty } }

    /// One file that is kept open.
    final class OpenFile: Sendable {
        private let opened: HTTPFile
        /// The fields of a reply that tell of the file.
        let fields: [UInt8]
        private let checked: Atomic<UInt64>
        let used: Atomic<UInt64>

        init(_ file: HTTPFile, _ now: UInt64) {
            opened = file
            var fields: [UInt8] = []
            file.writeFields(to: &fields)
            self.fields = fields
            checked = Atomic(now)
            used = Atomic(now)
        }

        /// The file, with a way back to here.
        var file: HTTPFile {
            var file = opened
            file.kept = self
            return file
        }

        /// Whether it was looked up within the last second.
        func isCurrent(_ now: UInt64) -> Bool {
            let checked = checked.load(ordering: .relaxed)
            return checked > 0 && now < checked + OpenFiles.freshNanoseconds
        }

        func isSame(as other: HTTPFile) -> Bool {
            opened.tag == other.tag && opened.size == other.size && opened.modified == other.modified
                && opened.offset == other.offset
        }

        func confirm(_ now: UInt64) {
            checked.store(now, ordering: .relaxed)
            used.store(now, ordering: .relaxed)
        }

        func drop() { checked.store(0, ordering: .relaxed) }
    }
}

/// Nanoseconds of the monotonic clock, a few milliseconds late, for the price of a memory access.
func coarseNow() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Nanoseconds of the monotonic clock.
func monotonicNow() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
