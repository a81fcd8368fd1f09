import CLinux
import Logging
import NetworkIO
import NetworkTypes

/// Answers short calls that come as datagrams, one after another, until it is stopped.
final class DatagramService: Sendable {
    /// Where it listens.
    let endpoint: Endpoint
    private let socket: UDPSocket
    private let stopping: FileDescriptor
    private let logger: Logger

    /// Throws when the port is taken.
    init(on endpoint: Endpoint, logger: Logger) throws {
        socket = try UDPSocket(bind: endpoint, receiveBufferBytes: 256 << 10)
        stopping = try FileDescriptor("open an eventfd", eventfd(0, CInt(EFD_CLOEXEC)))
        self.endpoint = socket.endpoint
        self.logger = logger
    }

    /// Answers on this thread until `stop`; calls longer than `limit` bytes are dropped, and so is what `answer` has no reply for.
    func run(limit: Int, answer: (_ call: ArraySlice<UInt8>, _ peer: Endpoint) -> [UInt8]?) {
        // One byte more tells a call that is too long from one that just fits.
        var buffer = [UInt8](repeating: 0, count: limit + 1)
        while true {
            var waits = [
                pollfd(fd: socket.descriptor.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stopping.number, events: Int16(POLLIN), revents: 0),
            ]
            guard unsafe poll(&waits, 2, -1) > 0 else { continue }
            if waits[1].revents != 0 { return }
            do {
                guard let (count, origin) = try socket.receive(into: &buffer), count <= limit else { continue }
                // To us alone: answers to broadcasts would make of a small question many answers.
                guard origin.destination == origin.local, let reply = answer(buffer[..<count], origin.peer) else {
                    continue
                }
                try socket.send(reply.span, to: origin.peer, from: origin.local)
            } catch {
                logger.debug("datagram", metadata: ["port": "\(endpoint.port)", "why": "\(error)"])
            }
        }
    }

    /// Ends `run`.
    func stop() {
        var one: UInt64 = 1
        _ = unsafe write(stopping.number, &one, 8)
    }
}
