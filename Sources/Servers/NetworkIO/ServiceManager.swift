import CLinux

/// Who started this process and wants to know how it gets on: systemd, and what speaks as it does (sd_notify(3)).
public enum ServiceManager {
    /// Says something about this process, such as `READY=1`.
    ///
    /// Nothing happens where nobody asked for it, with `$NOTIFY_SOCKET`. Throws `SystemCallError`.
    public static func tell(_ state: String) throws(SystemCallError) {
        // An abstract name ("@") is not systemd's, for services of the system.
        guard let path = unsafe getenv("NOTIFY_SOCKET").map({ unsafe String(cString: $0) }), path.hasPrefix("/") else {
            return
        }
        let kind = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let socket = try FileDescriptor("open a Unix socket", socket(AF_UNIX, kind, 0))
        let text = Array(state.utf8)
        let sent = unsafe try UnixAddress(path).withSocketAddress { address, length in
            unsafe clinux_sendto(socket.number, text, text.count, CInt(MSG_NOSIGNAL), address, length)
        }
        try check("tell the service manager at \(path)", CInt(clamping: sent))
    }
}
