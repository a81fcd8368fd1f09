import CLinux

/// QEMU's control socket (QMP): one command per connection, as JSON lines.
struct MachineControl {
    let socket: String

    /// Executes a command and waits for its answer, at most 5 s.
    ///
    /// - Parameter arguments: a JSON object.
    func execute(_ command: String, _ arguments: String) throws {
        let descriptor = try connectUnixSocket(socket)
        defer { close(descriptor) }
        var reader = LineReader(descriptor: descriptor)
        _ = try reader.next()  // the greeting
        for line in ["{\"execute\":\"qmp_capabilities\"}", "{\"execute\":\"\(command)\",\"arguments\":\(arguments)}"] {
            let bytes = Array("\(line)\n".utf8)
            guard unsafe bytes.withUnsafeBytes({ unsafe write(descriptor, $0.baseAddress, $0.count) }) == bytes.count
            else {
                throw LabError("the virtual machine's control socket is closed")
            }
            // Events may come between a command and its answer.
            while true {
                let answer = try reader.next()
                if answer.contains("\"return\"") { break }
                if answer.contains("\"error\"") { throw LabError("QEMU refused \(command): \(answer)") }
            }
        }
    }
}

/// A connected Unix stream socket that gives up reading after 5 s.
func connectUnixSocket(_ path: String) throws -> Int32 {
    let descriptor = CLinux.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = UInt16(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < 108 else { throw LabError("the path \(path) is too long for a socket (107 bytes at most)") }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let result = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe clinux_connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
    }
    guard result == 0 else {
        close(descriptor)
        throw LabError("cannot reach the socket \(path) (error \(clinux_errno()))")
    }
    return descriptor
}

/// Lines of a socket that has a receive timeout.
private struct LineReader {
    let descriptor: Int32
    var buffer: [UInt8] = []

    mutating func next() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                defer { buffer.removeSubrange(...end) }
                return String(decoding: buffer[..<end], as: UTF8.self)
            }
            var piece = [UInt8](repeating: 0, count: 4096)
            let count = unsafe piece.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, clinux_errno() == EINTR { continue }
            guard count > 0, buffer.count < 1 << 20 else {
                throw LabError("QEMU does not answer on its control socket")
            }
            buffer += piece[..<count]
        }
    }
}
