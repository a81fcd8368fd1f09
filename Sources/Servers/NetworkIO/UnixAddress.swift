import CLinux

/// The address of a Unix socket.
struct UnixAddress {
    private var address = sockaddr_un()

    init(_ path: String) throws(SystemCallError) {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count < 108, !bytes.contains(0) else {
            throw SystemCallError("use \(path) as a socket", number: ENAMETOOLONG)
        }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    }

    func withSocketAddress<Result>(_ body: (UnsafeRawPointer, socklen_t) -> Result) -> Result {
        var address = address
        return unsafe withUnsafePointer(to: &address) {
            unsafe body(UnsafeRawPointer($0), socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// Which file a Unix socket is.
struct SocketFile: Equatable {
    private let device: UInt64
    private let inode: UInt64

    /// The socket that lies at `path`.
    ///
    /// Throws `SystemCallError`: ENOENT, or EEXIST when something else lies there.
    init(_ path: String) throws(SystemCallError) {
        var status = stat()
        try check("look at \(path)", unsafe lstat(path, &status))
        guard status.st_mode & mode_t(S_IFMT) == mode_t(S_IFSOCK) else {
            throw SystemCallError("listen on \(path), which is no socket: remove it", number: EEXIST)
        }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// Removes the socket at `path` that a killed program has left.
    ///
    /// Throws `SystemCallError` when it is alive: EADDRINUSE.
    static func removeDead(_ path: String) throws(SystemCallError) {
        do { _ = try SocketFile(path) } catch {
            if error.number == ENOENT { return }
            throw error
        }
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let caller = try FileDescriptor("open a Unix socket", socket(AF_UNIX, kind, 0))
        let result = unsafe try UnixAddress(path).withSocketAddress { unsafe clinux_connect(caller.number, $0, $1) }
        let number = result == 0 ? 0 : clinux_errno()
        switch number {
        case ECONNREFUSED: try check("remove the dead socket \(path)", unsafe unlink(path))
        case ENOENT: return
        default:
            // Answered, or too busy to (EAGAIN), or of another kind: not ours to take away.
            throw SystemCallError("listen on \(path), where another program listens: stop it first", number: EADDRINUSE)
        }
    }
}
