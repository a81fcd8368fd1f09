import CLinux
import Dispatch
import Synchronization

/// A note on the disk that a storage has writes which no flush has covered, and under which kernel they were made.
///
/// A disk that loses its power forgets what it was not asked to keep, and the computer that had written it forgets with it.
/// Where the power of the server alone is cut, that computer runs on: it would find bytes that it had overwritten come
/// back, and its file system would break without a word. The note tells such a storage from one that lost nothing.
///
/// It is durable before the first write goes on, and taken back when there was none for a while and a flush covers them
/// all. So it costs one sync for a row of writes, and storages that nobody has written to lately are without it.
public final class DirtyFlag: Sendable {
    /// Whether a kernel that runs no more had writes that no flush had covered.
    public let hasLostWrites: Bool
    private let path: String
    private let kernel: String
    private let quietMilliseconds: Int
    private let isSet: Atomic<Bool>
    private let begun = Atomic<UInt64>(0)
    private let ended = Atomic<UInt64>(0)
    private struct State {
        /// Nil until there is a file.
        var file: RandomAccessFile?
        /// The storage in whose writes a pause is awaited.
        var awaited: (any BlockStorage)?
    }
    /// Held while the file is written.
    private let state: Mutex<State>

    private static let queue = DispatchQueue(label: "dirty flags")
    private static let length = 64

    /// The flag at `path`, which is made with the first write, under the kernel with this identity.
    ///
    /// It is taken back when there was no write for `quietMilliseconds`. Throws `BlockStorageOpenError`.
    public init(path: String, kernel: String, quietMilliseconds: Int = 2000) throws(BlockStorageOpenError) {
        self.path = path
        self.kernel = kernel
        self.quietMilliseconds = quietMilliseconds
        var file: RandomAccessFile?
        var words: [Substring] = []
        do throws(BlockError) {
            file = try RandomAccessFile(path: path, flags: O_RDWR)
            var bytes = [UInt8](repeating: 0, count: Self.length)
            let count = unsafe pread(file?.descriptor ?? -1, &bytes, bytes.count, 0)
            guard count >= 0 else { throw BlockError(clinux_errno()) }
            // Who made a shorter one had no time to write to the storage.
            if count == Self.length { words = String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace } }
        } catch {
            guard error.number == ENOENT else { throw BlockStorageOpenError(path: path, reason: error.reason) }
        }
        let isDirty = words.first == "dirty"
        hasLostWrites = isDirty && words.last != Substring(kernel)
        isSet = Atomic(isDirty)
        state = Mutex(State(file: file))
    }

    /// Whether it says now that there are such writes.
    public var isDirty: Bool { isSet.load(ordering: .sequentiallyConsistent) }

    /// Does a change of `storage`; the flag is set and durable before.
    func during(
        _ storage: any BlockStorage,
        _ change: () throws(BlockError) -> Void
    ) throws(BlockError) {
        begun.add(1, ordering: .sequentiallyConsistent)
        defer { ended.add(1, ordering: .sequentiallyConsistent) }
        if !isDirty { try set(storage) }
        try change()
    }

    /// Takes the flag back when a flush covers every write that has begun; whether it is not set any more.
    ///
    /// Throws what the flush throws.
    @discardableResult public func settle() throws(BlockError) -> Bool {
        guard isDirty else { return true }
        // In this order: if as many have begun, all had ended before the flush.
        let ended = ended.load(ordering: .sequentiallyConsistent)
        guard let storage = state.withLock(\.awaited), begun.load(ordering: .sequentiallyConsistent) == ended else {
            return false
        }
        try storage.flush()
        return try state.withLock { state throws(BlockError) in
            // A write that begins here is counted below, or finds no flag and waits to set it.
            isSet.store(false, ordering: .sequentiallyConsistent)
            guard begun.load(ordering: .sequentiallyConsistent) == ended else {
                isSet.store(true, ordering: .sequentiallyConsistent)
                return false
            }
            state.awaited = nil
            // Should that be lost, the flag says too much and not too little.
            try state.file.map { file throws(BlockError) in try write("clean", to: file) }
            return true
        }
    }

    private func set(_ storage: any BlockStorage) throws(BlockError) {
        try state.withLock { state throws(BlockError) in
            guard !isDirty else { return }
            if let file = state.file {
                try write("dirty", to: file)
                try file.sync()
            } else {
                state.file = try make()
            }
            isSet.store(true, ordering: .sequentiallyConsistent)
            state.awaited = storage
            awaitPause()
        }
    }

    /// Goes on with what an earlier run of the server left.
    func resume(_ storage: any BlockStorage) {
        state.withLock { state in
            guard isDirty, !hasLostWrites, state.awaited == nil else { return }
            state.awaited = storage
            awaitPause()
        }
    }

    /// Looks again and again for a pause in the writes, and settles in it.
    private func awaitPause() {
        let count = begun.load(ordering: .sequentiallyConsistent)
        Self.queue.asyncAfter(deadline: .now() + .milliseconds(quietMilliseconds)) { [self] in
            var isOver = false
            if begun.load(ordering: .sequentiallyConsistent) == count {
                do throws(BlockError) { isOver = try settle() } catch {
                    // Room may be made; what is broken stays dirty.
                    isOver = error.number == EIO
                }
            }
            if !isOver { awaitPause() }
        }
    }

    /// A durable file that says "dirty", in a folder that may be new.
    private func make() throws(BlockError) -> RandomAccessFile {
        let file = try RandomAccessFile(path: path, flags: O_RDWR | O_CREAT)
        try write("dirty", to: file)
        guard fsync(file.descriptor) == 0 else { throw BlockError(clinux_errno()) }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        for folder in [folder, folder + "/.."] {
            let directory = try RandomAccessFile(path: folder, flags: O_RDONLY | O_DIRECTORY)
            guard fsync(directory.descriptor) == 0 else { throw BlockError(clinux_errno()) }
        }
        return file
    }

    private func write(_ text: String, to file: RandomAccessFile) throws(BlockError) {
        var line = [UInt8](repeating: UInt8(ascii: " "), count: Self.length - 1) + [UInt8(ascii: "\n")]
        for (place, character) in zip(line.indices.dropLast(), "\(text) \(kernel)".utf8) { line[place] = character }
        let count = unsafe pwrite(file.descriptor, line, line.count, 0)
        guard count == line.count else { throw BlockError(count < 0 ? clinux_errno() : EIO) }
    }
}
