import BlockStorage
import CLinux

/// A directory of its own, removed at the end of the test.
final class TemporaryDirectory: Sendable {
    let path: String
    init() throws {
        var template = Array("/tmp/diskless-test-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw BlockError(clinux_errno()) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    deinit { removeTree(path) }
}

/// Removes a directory with everything below it.
private func removeTree(_ path: String) {
    if let directory = unsafe opendir(path) {
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { removeTree("\(path)/\(name)") }
        }
        unsafe closedir(directory)
    }
    unsafe remove(path)
}

func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    let descriptor = unsafe clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(descriptor) }
    guard unsafe write(descriptor, bytes, bytes.count) == bytes.count else { throw BlockError(clinux_errno()) }
}

func readFile(_ path: String) throws -> [UInt8] {
    let file = try FileStorage(path: path, writable: false)
    return try file.bytes(at: 0, Int(file.size))
}

/// Bytes in memory, as a base.
final class MemoryStorage: BlockStorage {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    var size: UInt64 { UInt64(bytes.count) }
    var capabilities: BlockCapabilities { .shared }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe buffer.copyBytes(from: bytes[Int(offset)..<Int(offset) + buffer.count])
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) { throw BlockError(EPERM) }
    func flush() throws(BlockError) {}
    func trim(at offset: UInt64, length: UInt64) throws(BlockError) { throw BlockError(EPERM) }
    func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) { throw BlockError(EPERM) }
}

extension BlockStorage {
    func bytes(at offset: Int, _ count: Int) throws -> [UInt8] {
        var result = [UInt8](repeating: 0xee, count: count)
        try unsafe result.withUnsafeMutableBytes { unsafe try read(into: $0, at: UInt64(offset)) }
        return result
    }
    func put(_ bytes: [UInt8], at offset: Int) throws {
        try unsafe bytes.withUnsafeBytes { unsafe try write($0, at: UInt64(offset)) }
    }
}

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// `count` bytes that differ from block to block.
func pattern(_ count: Int, _ seed: UInt64 = 1) -> [UInt8] {
    var random = SeededGenerator(state: seed)
    var result: [UInt8] = []
    result.reserveCapacity(count + 8)
    while result.count < count {
        let word = random.next()
        for shift in 0..<8 { result.append(UInt8(truncatingIfNeeded: word >> (shift * 8))) }
    }
    return Array(result.prefix(count))
}
