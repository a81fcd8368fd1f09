import CLinux
import COpenSSL
public import NetworkIO

/// Carries one TLS connection to a plain stream, so that a server need not know the difference.
///
/// The server gets one end of a pair of Unix sockets; a thread moves bytes between the other end and the client. It costs
/// a copy more than TLS inside the server would; the ciphers cost far more. Backpressure, the end of each direction and a
/// lost client pass through.
public struct TLSTunnel: Sendable {
    /// The server's end; plain bytes.
    public let plain: StreamSocket
    /// The common name in the client's certificate, at most 64 bytes; nil when it showed none.
    public let clientName: String?

    /// Does the handshake with the client at the other end of `socket`, in at most `seconds`, and starts the thread.
    ///
    /// `socket` belongs to the tunnel from then on; to end it from outside, disconnect either end. Throws `TLSError` with
    /// what the client did wrong, or `SystemCallError`.
    public init(accepting socket: StreamSocket, as identity: TLSIdentity, seconds: Int) throws {
        let connection = try TLSConnection(socket, identity)
        try connection.handshake(seconds: seconds)
        clientName = connection.clientName
        var pair: [CInt] = [-1, -1]
        try check(
            "open a pair of sockets",
            unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &pair)
        )
        plain = StreamSocket(FileDescriptor(owning: pair[0]), peer: nil)
        let inner = FileDescriptor(owning: pair[1])
        try WorkerThread.start("tls") { TLSRelay(connection, inner).run() }
    }
}

/// One connection of the library over a socket that never blocks; used by one thread at a time.
///
/// `@unchecked`: the thread that did the handshake hands it over to the relay's and does not touch it again.
@safe final class TLSConnection: @unchecked Sendable {
    let socket: StreamSocket
    private let identity: TLSIdentity
    private let ssl: OpaquePointer

    init(_ socket: StreamSocket, _ identity: TLSIdentity) throws {
        self.socket = socket
        self.identity = identity
        ERR_clear_error()
        guard let ssl = unsafe SSL_new(identity.context) else { throw TLSError("TLS cannot be used") }
        unsafe self.ssl = ssl
        let descriptor = socket.descriptor.number
        let flags = clinux_fcntl(descriptor, F_GETFL, 0)
        try check("make a socket non-blocking", clinux_fcntl(descriptor, F_SETFL, Int(flags | O_NONBLOCK)))
        guard unsafe SSL_set_fd(ssl, descriptor) == 1 else { throw TLSError("TLS cannot use the socket") }
    }

    deinit { unsafe SSL_free(ssl) }

    func handshake(seconds: Int) throws {
        let deadline = monotonicMilliseconds() + seconds * 1000
        while true {
            let outcome = unsafe perform { unsafe SSL_accept($0) }
            switch outcome {
            case .done: return
            case .wantsRead, .wantsWrite:
                let left = deadline - monotonicMilliseconds()
                guard left > 0 else { throw TLSError("the TLS handshake was not done in time") }
                let events = outcome == .wantsRead ? POLLIN : POLLOUT
                var wait = pollfd(fd: socket.descriptor.number, events: Int16(events), revents: 0)
                _ = unsafe poll(&wait, 1, CInt(left))
            case .ended, .failed: throw TLSError("the TLS handshake failed")
            }
        }
    }

    enum Outcome: Equatable {
        case done(Int)
        case wantsRead, wantsWrite, ended, failed
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        unsafe perform { unsafe SSL_read($0, buffer.baseAddress, CInt(clamping: buffer.count)) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        unsafe perform { unsafe SSL_write($0, bytes.baseAddress, CInt(clamping: bytes.count)) }
    }

    /// Tells the client that nothing more will come; its answer is not awaited.
    func sayGoodbye() { _ = unsafe perform { unsafe SSL_shutdown($0) } }

    private func perform(_ call: (OpaquePointer) -> CInt) -> Outcome {
        ERR_clear_error()
        let result = unsafe call(ssl)
        if result > 0 { return .done(Int(result)) }
        return switch Int(unsafe SSL_get_error(ssl, result)) {
        case COPENSSL_ERROR_WANT_READ: .wantsRead
        case COPENSSL_ERROR_WANT_WRITE: .wantsWrite
        case COPENSSL_ERROR_ZERO_RETURN: .ended
        default: .failed
        }
    }

    var clientName: String? {
        guard let certificate = unsafe SSL_get1_peer_certificate(ssl) else { return nil }
        defer { unsafe X509_free(certificate) }
        var text = [CChar](repeating: 0, count: 65)
        let length = unsafe X509_NAME_get_text_by_NID(
            X509_get_subject_name(certificate),
            CInt(COPENSSL_COMMON_NAME),
            &text,
            CInt(text.count)
        )
        guard length > 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

func monotonicMilliseconds() -> Int {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}
