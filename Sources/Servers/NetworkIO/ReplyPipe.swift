internal import CLinux

/// Replies on their way to a socket: their heads from memory and bytes of files behind them, none of which is copied here.
///
/// The kernel passes references to pages around (splice(2), vmsplice(2)), which is why heads are written once: when the
/// pages with heads are used up they are given away, and live until the last socket has let go of them. What a file has
/// changed meanwhile may be seen by who waits for a reply, as with sendfile(2).
@safe public struct ReplyPipe: ~Copyable {
    /// The longest head, in bytes.
    public static let headLimit = 64
    /// The longest run of a file that is put in at once, in bytes.
    public static let runLimit = 32 << 10
    /// Pages that the pipe has room for; each head and each page of a file takes one of these.
    private static let pages = 64
    private static let pageSize = 4096
    /// Memory for heads, in bytes.
    private static let headRoom = 64 << 10

    private let heads: TransferBuffer
    /// The ends of the pipe, once it was wanted.
    private var owned: [FileDescriptor] = []
    /// Their numbers, for what is done all the time.
    private var readEnd: CInt = -1
    private var writeEnd: CInt = -1
    private var isRefused = false
    /// Bytes of `heads` that are used.
    private var used = 0
    /// Pages of the pipe that may be taken.
    private var taken = 0
    /// Bytes of the whole replies in the pipe.
    public private(set) var count = 0
    /// Bytes behind them, of a reply that is not whole.
    private var unfinished = 0

    /// Nothing but room; the pipe is opened when it is needed.
    ///
    /// Throws `SystemCallError` when there is no memory.
    public init() throws(SystemCallError) { heads = try TransferBuffer(capacity: Self.headRoom) }

    /// Whether there is a pipe to put something into.
    public mutating func isReady() -> Bool {
        if writeEnd < 0, !isRefused { isRefused = !open() }
        return writeEnd >= 0
    }

    private mutating func open() -> Bool {
        var numbers: [2 of CInt] = [-1, -1]
        let result = unsafe withUnsafeMutableBytes(of: &numbers) { bytes in
            unsafe bytes.withMemoryRebound(to: CInt.self) {
                unsafe clinux_open_pipe($0.baseAddress, CInt(Self.pages))
            }
        }
        guard result >= 0 else { return false }
        let ends = [FileDescriptor(owning: numbers[0]), FileDescriptor(owning: numbers[1])]
        // A user with many pipes gets small ones (pipe(7), pipe-user-pages-soft).
        let size = Int(clinux_fcntl(numbers[1], F_GETPIPE_SZ, 0))
        guard size >= Self.pages * Self.pageSize else { return false }
        owned = ends
        (readEnd, writeEnd) = (numbers[0], numbers[1])
        return true
    }

    /// Whether a head, and `length` bytes of files in `runs` runs behind it, fit in now.
    public func fits(_ length: Int, runs: Int = 1) -> Bool {
        taken + 1 + length / Self.pageSize + 2 * runs <= Self.pages && used + Self.headLimit <= heads.capacity
    }

    /// Begins a reply with `size` bytes, written by `write`; false when the kernel refuses.
    public mutating func begin(_ size: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) -> Bool {
        let head = unsafe heads.part(used, size)
        unsafe write(head)
        used += Self.headLimit
        taken += 1
        let moved = unsafe clinux_pipe_memory(writeEnd, head.baseAddress, size)
        unfinished += max(0, moved)
        return moved == size
    }

    /// Goes on with bytes of a file; false when it cannot be read, has become shorter or cannot be passed on this way.
    public mutating func add(_ file: CInt, at offset: UInt64, length: Int) -> Bool {
        var done = 0
        while done < length {
            let moved = clinux_pipe_file(writeEnd, file, off_t(offset) + off_t(done), length - done)
            if moved < 0, clinux_errno() == EINTR { continue }
            guard moved > 0 else { return false }
            // Whole pages but for the first and the last one.
            let start = (Int(offset) + done) % Self.pageSize
            taken += (start + moved + Self.pageSize - 1) / Self.pageSize
            done += moved
            unfinished += moved
        }
        return true
    }

    /// Ends the reply: it is whole.
    public mutating func finish() {
        count += unfinished
        unfinished = 0
    }

    /// Sends the whole replies, and forgets one that is not.
    ///
    /// Throws `SystemCallError`.
    public mutating func send(to socket: StreamSocket) throws(SystemCallError) {
        while count > 0 {
            let moved = clinux_send_pipe(readEnd, socket.descriptor.number, count)
            if moved > 0 {
                count -= moved
            } else if moved == 0 || clinux_errno() != EINTR {
                throw SystemCallError("send", number: moved == 0 ? EPIPE : clinux_errno())
            }
        }
        forgetUnfinished()
        taken = 0
        if used + Self.pages * Self.headLimit > heads.capacity { renewHeads() }
    }

    /// Takes out of the pipe what was put in of a reply that came to nothing; nothing else is in it.
    private mutating func forgetUnfinished() {
        guard unfinished > 0 else { return }
        var scratch = [UInt8](repeating: 0, count: min(unfinished, 64 << 10))
        while unfinished > 0 {
            let got = unsafe read(readEnd, &scratch, min(scratch.count, unfinished))
            guard got > 0 || (got < 0 && clinux_errno() == EINTR) else { return }
            unfinished -= max(0, got)
        }
    }

    /// Gives the pages with heads away; sockets keep what they have not sent.
    private mutating func renewHeads() {
        heads.release()
        used = 0
    }

    /// Gives memory and pipe back until they are wanted again; nothing waits.
    public mutating func release() {
        renewHeads()
        owned = []
        (readEnd, writeEnd, isRefused) = (-1, -1, false)
    }
}
