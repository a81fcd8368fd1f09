import CLinux
import NetworkIO

/// Room for the head of a reply and what fits behind it, used again for every reply of a thread.
@safe struct ReplyBuffer: ~Copyable {
    /// Content up to this size goes out with its head in one call.
    static let smallContent = 32768

    private static let capacity = 49152
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    private(set) var count = 0

    deinit { unsafe memory.deallocate() }

    /// Empties it.
    mutating func clear() { count = 0 }

    /// Appends bytes; false when they do not fit.
    mutating func put(_ bytes: [UInt8]) -> Bool {
        guard bytes.count <= Self.capacity - count else { return false }
        unsafe bytes.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            unsafe (memory + count).copyMemory(from: base, byteCount: source.count)
        }
        count += bytes.count
        return true
    }

    /// Appends one byte; false when it does not fit.
    mutating func put(_ byte: UInt8) -> Bool {
        guard count < Self.capacity else { return false }
        unsafe (memory + count).storeBytes(of: byte, as: UInt8.self)
        count += 1
        return true
    }

    /// Appends a number in decimal digits; false when it does not fit.
    mutating func put(decimal number: UInt64) -> Bool {
        var digits = 0
        var rest = number
        repeat {
            digits += 1
            rest /= 10
        } while rest > 0
        guard digits <= Self.capacity - count else { return false }
        rest = number
        for place in stride(from: count + digits - 1, through: count, by: -1) {
            unsafe (memory + place).storeBytes(of: UInt8(0x30 + rest % 10), as: UInt8.self)
            rest /= 10
        }
        count += digits
        return true
    }

    /// Appends a part of a file; false when it does not fit, or when the file has become shorter.
    mutating func read(_ file: FileDescriptor, _ range: Range<UInt64>) -> Bool {
        guard range.count <= Self.capacity - count else { return false }
        let got = unsafe pread(file.number, memory + count, range.count, off_t(range.lowerBound))
        guard got == range.count else { return false }
        count += got
        return true
    }

    /// Sends what is there; gives the bytes that the kernel took, or -1.
    func send(_ socket: CInt, moreFollows: Bool) -> Int {
        let flags = CInt(MSG_NOSIGNAL) | (moreFollows ? CInt(MSG_MORE) : 0)
        return unsafe CLinux.send(socket, memory, count, flags)
    }

    /// What lies behind the first `sent` bytes.
    func rest(after sent: Int) -> [UInt8] {
        guard sent < count else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: memory + sent, count: count - sent))
    }
}
