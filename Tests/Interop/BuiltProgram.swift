import CLinux

/// The program under test.
enum BuiltProgram {
    /// DISKLESS_PROGRAM, else what was built beside the tests.
    static var path: String {
        if let given = unsafe getenv("DISKLESS_PROGRAM"), unsafe access(given, X_OK) == 0 {
            return unsafe String(cString: given)
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes {
            guard let room = unsafe $0.bindMemory(to: CChar.self).baseAddress else { return -1 }
            return unsafe readlink("/proc/self/exe", room, $0.count)
        }
        let path = String(decoding: buffer[..<max(count, 0)], as: UTF8.self)
        return path[..<(path.lastIndex(of: "/") ?? path.startIndex)] + "/diskless"
    }
}
