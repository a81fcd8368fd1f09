import CLinux
import NetworkIO
import Synchronization

/// The bytes of a transfer at a fixed place in memory, read only, shared by every transfer of the same file.
///
/// A mapped file is handed to the kernel by address and never read here, so a file that shrinks under us makes a send fail
/// (EFAULT) instead of a signal.
@safe final class TransferData: Sendable {
    /// The first byte; valid while this object lives.
    ///
    /// Nobody writes there, so threads may share it.
    nonisolated(unsafe) let base: UnsafeRawPointer
    let count: UInt64
    private let isMapped: Bool
    /// Kept open, so that the inode that identifies a mapping cannot be used again meanwhile.
    private let file: FileDescriptor?

    init(copying bytes: [UInt8]) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 16)
        unsafe bytes.withUnsafeBytes {
            unsafe memory.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(memory), byteCount: $0.count)
        }
        unsafe base = UnsafeRawPointer(memory)
        count = UInt64(bytes.count)
        isMapped = false
        file = nil
    }

    /// Maps `size` bytes of a file, of which there must be some.
    init(mapping file: FileDescriptor, size: UInt64) throws(SystemCallError) {
        let address = unsafe mmap(nil, Int(size), PROT_READ, CInt(MAP_SHARED), file.number, 0)
        guard let address = unsafe address, unsafe clinux_is_map_failed(address) == 0 else {
            throw SystemCallError("map the file")
        }
        unsafe base = UnsafeRawPointer(address)
        count = size
        isMapped = true
        self.file = file
        _ = posix_fadvise(file.number, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// A copy of some of the bytes; nil when the file has become too short.
    func read(_ range: Range<UInt64>) -> [UInt8]? {
        guard let file else {
            let bytes = unsafe UnsafeRawBufferPointer(start: base + Int(range.lowerBound), count: range.count)
            return unsafe Array(bytes)
        }
        return try? readFile(file, range)
    }

    deinit {
        if isMapped {
            unsafe munmap(UnsafeMutableRawPointer(mutating: base), Int(count))
        } else {
            unsafe base.deallocate()
        }
    }
}

/// Finds the mapping of a file that another transfer reads already.
struct MappedFiles: ~Copyable {
    private struct Key: Hashable {
        var device: UInt64
        var inode: UInt64
        var size: UInt64
        var seconds: Int
        var nanoseconds: Int
    }

    private struct Entry {
        weak var data: TransferData?
    }

    private var entries: [Key: Entry] = [:]

    mutating func data(of file: FileDescriptor, size: UInt64) throws(SystemCallError) -> TransferData {
        guard size > 0 else { return TransferData(copying: []) }
        let status = try ConfinedDirectory.describe(file, "the file")
        let key = Key(
            device: status.identity.device,
            inode: status.identity.inode,
            size: size,
            seconds: status.modified,
            nanoseconds: status.modifiedNanoseconds
        )
        if let data = entries[key]?.data { return data }
        let data = try TransferData(mapping: file, size: size)
        if entries.count >= 256 { entries = entries.filter { $0.value.data != nil } }
        entries[key] = Entry(data: data)
        return data
    }
}

/// The first `size` bytes of a file.
func readWhole(_ file: FileDescriptor, _ size: UInt64) throws(SystemCallError) -> [UInt8] {
    try readFile(file, 0..<size)
}

/// Some bytes of a file; throws EIO when it ends before.
private func readFile(_ file: FileDescriptor, _ range: Range<UInt64>) throws(SystemCallError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count)
    var done = 0
    while done < bytes.count {
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe pread(
                file.number,
                $0.baseAddress.map { unsafe $0 + done },
                $0.count - done,
                off_t(range.lowerBound) + off_t(done)
            )
        }
        guard count > 0 else { throw SystemCallError("read", number: count < 0 ? clinux_errno() : EIO) }
        done += count
    }
    return bytes
}
