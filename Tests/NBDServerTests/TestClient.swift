import CLinux
import NBD
import NetworkIO
import NetworkTypes

/// A client that speaks the protocol byte by byte.
final class TestClient {
    struct Failure: Error { var what: String }
    private let socket: StreamSocket

    /// Connects and, when `greets`, reads the greeting and sends the client flags.
    init(_ endpoint: Endpoint, greets: Bool = true) throws {
        socket = try StreamSocket(connectingTo: endpoint)
        // No test may hang: whatever is waited for comes within this time.
        socket.setTimeouts(receive: 20)
        guard greets else { return }
        guard try receive(18) == NBDHandshake.greeting else { throw Failure(what: "greeting") }
        try send([0, 0, 0, 3])
    }

    /// Has the kernel keep this many bytes for it; false where that takes rights that it has not.
    func setRoom(_ count: CInt) -> Bool {
        var count = count
        let size = socklen_t(MemoryLayout<CInt>.size)
        return unsafe setsockopt(socket.descriptor.number, SOL_SOCKET, SO_RCVBUFFORCE, &count, size) == 0
    }

    /// How many bytes have come that it has not read.
    var waiting: Int {
        var count: CInt = 0
        _ = unsafe clinux_ioctl(socket.descriptor.number, UInt(FIONREAD), &count)
        return Int(count)
    }

    /// Ends the connection; replies that are on their way meet a reset.
    func vanish() { socket.disconnect() }

    func send(_ bytes: [UInt8]) throws { try socket.send(bytes) }

    func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = try unsafe bytes.withUnsafeMutableBytes {
                unsafe try socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: $0[done...]))
            }
            guard got > 0 else { throw Failure(what: "wanted \(count) bytes, got \(done)") }
            done += got
        }
        return bytes
    }

    /// Whether the server has closed the connection; reads what is left.
    func isClosed() -> Bool {
        for _ in 0..<1_000_000 {
            do { _ = try receive(1) } catch let error as SystemCallError {
                return error.number == ECONNRESET
            } catch { return true }
        }
        return false
    }

    /// Sends an option; the replies up to the last one.
    func option(_ option: NBDOption, _ data: [UInt8] = []) throws -> [(type: NBDOptionReply, data: [UInt8])] {
        try send(Array("IHAVEOPT".utf8) + big(option.rawValue) + big(UInt32(data.count)) + data)
        var replies: [(NBDOptionReply, [UInt8])] = []
        while true {
            let header = try receive(20)
            let type = NBDOptionReply(rawValue: number(header[12..<16]))
            replies.append((type, try receive(Int(number(header[16..<20]) as UInt32))))
            if type == .acknowledged || type.rawValue >> 31 == 1 { return replies }
        }
    }

    /// Opens an export with NBD_OPT_GO; the last reply.
    @discardableResult
    func open(_ name: String = "disk") throws -> (type: NBDOptionReply, text: String) {
        let replies = try option(.go, big(UInt32(name.utf8.count)) + Array(name.utf8) + [0, 0])
        guard let last = replies.last else { throw Failure(what: "no reply") }
        return (last.type, String(decoding: last.data, as: UTF8.self))
    }

    /// What NBD_OPT_INFO tells of an export.
    func info(_ name: String) throws -> (size: UInt64, flags: NBDTransmissionFlags) {
        let replies = try option(.info, big(UInt32(name.utf8.count)) + Array(name.utf8) + [0, 0])
        guard let data = replies.first(where: { $0.type == .info && $0.data.prefix(2) == [0, 0] })?.data else {
            throw Failure(what: "nothing about \(name)")
        }
        return (number(data[2..<10]), NBDTransmissionFlags(rawValue: number(data[10..<12])))
    }

    func request(_ request: NBDRequest, _ data: [UInt8] = []) throws { try send(request.encoded + data) }

    /// A simple reply: its cookie and error, and `count` bytes of data where there is no error.
    func reply(_ count: Int = 0) throws -> (cookie: UInt64, error: NBDErrorCode, data: [UInt8]) {
        let header = try receive(16)
        guard header[..<4] == [0x67, 0x44, 0x66, 0x98] else { throw Failure(what: "reply magic \(header)") }
        let error = NBDErrorCode(rawValue: number(header[4..<8]))
        return (number(header[8..<16]), error, error == .none ? try receive(count) : [])
    }

    /// A structured chunk: its kind, cookie and data.
    func chunk() throws -> (kind: UInt16, cookie: UInt64, data: [UInt8]) {
        let header = try receive(20)
        guard header[..<4] == [0x66, 0x8e, 0x33, 0xef] else { throw Failure(what: "chunk magic") }
        return (number(header[6..<8]), number(header[8..<16]), try receive(Int(number(header[16..<20]) as UInt32)))
    }

    /// An extended chunk: its kind, cookie, offset and data.
    func extendedChunk() throws -> (kind: UInt16, cookie: UInt64, offset: UInt64, data: [UInt8]) {
        let header = try receive(32)
        guard header[..<4] == [0x6e, 0x8a, 0x27, 0x8c] else { throw Failure(what: "chunk magic") }
        let count = Int(number(header[24..<32]) as UInt64)
        return (number(header[6..<8]), number(header[8..<16]), number(header[16..<24]), try receive(count))
    }

    func read(_ offset: Int, _ length: Int) throws -> [UInt8] {
        try request(NBDRequest(.read, cookie: 1, offset: UInt64(offset), length: UInt64(length)))
        return try reply(length).data
    }

    @discardableResult
    func write(_ offset: Int, _ data: [UInt8], flags: NBDCommandFlags = []) throws -> NBDErrorCode {
        try request(
            NBDRequest(.write, flags: flags, cookie: 2, offset: UInt64(offset), length: UInt64(data.count)),
            data
        )
        return try reply().error
    }
}

func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
}

func number<T: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>) -> T { bytes.reduce(0) { $0 << 8 | T($1) } }
