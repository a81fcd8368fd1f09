import CLinux
import FileTree

/// The newest replies to calls that must not be done twice, in a file that outlives the process.
///
/// A server that is killed between a RENAME and its reply is asked again by the client, and must not look for the old name
/// then. What is written here survives a kill, as the kernel has it; after a reboot it says nothing, as what it tells of may
/// be lost: the file holds the boot it was written in. Nothing here waits for the disk.
struct ReplyJournal: ~Copyable {
    /// How far a call has come.
    enum State: UInt32 {
        /// The place is free.
        case void
        /// It is being done.
        case begun
        /// It is done, and this is its reply.
        case done
        /// What it did is on the disk, too.
        case durable
    }

    /// What an earlier run has left.
    struct Entry {
        var key: UInt64
        var state: State
        var reply: [UInt8]
    }

    /// The secret that keys are made with: nobody can make a call that is taken for another one.
    let secret: [UInt8]
    /// What earlier runs have left, the oldest first.
    let entries: [Entry]

    private let descriptor: CInt
    private var next: Int
    /// Where calls are that are not durable yet.
    private var places: [UInt64: Int] = [:]

    /// Calls that are kept.
    static let capacity = 2048
    /// Room for one of them, in bytes: its key, its state, the length of its reply, its turn, and the reply.
    static let size = 1024
    private static let headSize = 24
    /// The longest reply that is kept, in bytes.
    static let replyLimit = size - headSize
    /// What the file begins with, in a place of its own.
    private static let mark = Array("diskless replies 1\n".utf8)

    private var turn: UInt64

    /// Opens the file at `path`, and makes it anew when it is of another boot of this machine.
    ///
    /// Throws `TreeError` when it cannot be read and written.
    init(at path: String, boot: [UInt8] = Self.bootIdentifier()) throws(TreeError) {
        let descriptor = unsafe clinux_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TreeError() }
        var head = [UInt8](repeating: 0, count: Self.size)
        let wanted = Self.mark + [UInt8(truncatingIfNeeded: boot.count)] + boot
        let known = unsafe pread(descriptor, &head, head.count, 0) == head.count && head.starts(with: wanted)
        var secret = Array(head.suffix(16))
        var entries: [(turn: UInt64, place: Int, entry: Entry)] = []
        if known {
            var room = [UInt8](repeating: 0, count: Self.size)
            for place in 0..<Self.capacity {
                guard unsafe pread(descriptor, &room, room.count, Self.offset(place)) == room.count,
                    let state = State(rawValue: UInt32(truncatingIfNeeded: Self.number(room, 8, 4))), state != .void
                else { continue }
                let length = Int(Self.number(room, 12, 4))
                guard length <= Self.replyLimit else { continue }
                let reply = Array(room[Self.headSize..<(Self.headSize + length)])
                let entry = Entry(key: Self.number(room, 0, 8), state: state, reply: reply)
                entries.append((Self.number(room, 16, 8), place, entry))
            }
            entries.sort { $0.turn < $1.turn }
        } else {
            guard unsafe getrandom(&secret, 16, 0) == 16 else {
                let error = TreeError()
                close(descriptor)
                throw error
            }
            head = wanted + [UInt8](repeating: 0, count: Self.size - 16 - wanted.count) + secret
            // Its whole length at once: what is written later finds its blocks there.
            let rest = [UInt8](repeating: 0, count: Self.size * Self.capacity)
            guard ftruncate(descriptor, 0) == 0,
                unsafe pwrite(descriptor, rest, rest.count, Self.offset(0)) == rest.count,
                unsafe pwrite(descriptor, head, head.count, 0) == head.count
            else {
                let error = TreeError()
                close(descriptor)
                throw error
            }
        }
        self.descriptor = descriptor
        self.secret = secret
        self.entries = entries.map(\.entry)
        turn = (entries.last?.turn ?? 0) + 1
        next = ((entries.last?.place ?? -1) + 1) % Self.capacity
    }

    deinit { close(descriptor) }

    /// Notes that a call is being done.
    mutating func begin(_ key: UInt64) {
        let place = next
        next = (next + 1) % Self.capacity
        places[key] = place
        write(key, .begun, [], place)
    }

    /// Notes the reply of a call that is done; a reply that is too long is not kept.
    mutating func done(_ key: UInt64, _ reply: some Collection<UInt8>) {
        guard let place = places[key], reply.count <= Self.replyLimit else { return }
        write(key, .done, reply, place)
    }

    /// Notes that what a call has done is on the disk.
    mutating func settle(_ key: UInt64) {
        guard let place = places.removeValue(forKey: key) else { return }
        set(.durable, place)
    }

    /// Forgets a call.
    mutating func forget(_ key: UInt64) {
        guard let place = places.removeValue(forKey: key) else { return }
        set(.void, place)
    }

    private mutating func write(_ key: UInt64, _ state: State, _ reply: some Collection<UInt8>, _ place: Int) {
        turn += 1
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headSize + reply.count)
        for (number, count) in [(key, 8), (UInt64(state.rawValue), 4), (UInt64(reply.count), 4), (turn, 8)] {
            for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index))) }
        }
        bytes.append(contentsOf: reply)
        // One write within a page: a kill leaves all of it or nothing. Without it the call is as safe as any server's.
        _ = unsafe pwrite(descriptor, bytes, bytes.count, Self.offset(place))
    }

    private func set(_ state: State, _ place: Int) {
        let bytes = [UInt8(truncatingIfNeeded: state.rawValue), 0, 0, 0]
        _ = unsafe pwrite(descriptor, bytes, bytes.count, Self.offset(place) + 8)
    }

    private static func offset(_ place: Int) -> Int { (place + 1) * size }

    private static func number(_ bytes: [UInt8], _ at: Int, _ count: Int) -> UInt64 {
        bytes[at..<(at + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// This boot of this machine, as the kernel tells it.
    static func bootIdentifier() -> [UInt8] {
        let descriptor = unsafe clinux_open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var room = [UInt8](repeating: 0, count: 64)
        let count = unsafe read(descriptor, &room, room.count)
        return Array(room.prefix(max(0, count)))
    }
}
