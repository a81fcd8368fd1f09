import CLinux
package import Logging
import NFS3
import NFS4
import NetworkIO
package import NetworkTypes
import ONCRPC
import Synchronization
import XDR

/// The port mapper beside the NFS server, for clients that cannot be told a port: klibc's nfsmount, firmware, old tools.
package final class PortmapServer: Sendable {
    private let socket: UDPSocket
    private let listener: StreamListener
    private let mapper: Portmapper
    private let logger: Logger
    private let clients = Atomic(0)
    private let stopping: FileDescriptor

    /// Clients over TCP at the same time; further ones are closed at once.
    private static let limit = 64
    /// How long one may take for a call, in seconds.
    private static let patience = 5.0
    /// Calls of one connection.
    private static let calls = 32

    /// Listens on UDP and TCP 111 at `address`; NFS and MOUNT are on TCP `port`.
    ///
    /// Throws when the ports are taken.
    package init(on address: IPv4Address, nfs port: UInt16, logger: Logger) throws {
        self.logger = logger
        mapper = Portmapper([
            Portmapper.Entry(Portmapper.program, Portmapper.version, .tcp, Portmapper.port),
            Portmapper.Entry(Portmapper.program, Portmapper.version, .udp, Portmapper.port),
            Portmapper.Entry(NFS3.program, NFS3.version, .tcp, port),
            Portmapper.Entry(NFS3.program, NFS4.version, .tcp, port),
            Portmapper.Entry(Mount3.program, Mount3.version, .tcp, port),
        ])
        listener = try StreamListener(tcp: Endpoint(address, Portmapper.port))
        socket = try UDPSocket(bind: Endpoint(address, Portmapper.port))
        stopping = try FileDescriptor("open an eventfd", eventfd(0, CInt(EFD_CLOEXEC)))
    }

    /// Answers on threads of its own.
    package func start() throws {
        try WorkerThread.start("portmap-udp") { [self] in answerDatagrams() }
        try WorkerThread.start("portmap-tcp") { [self] in
            // Ends when the listener is stopped.
            while let client = try? listener.accept() { admit(client) }
        }
    }

    /// Ends it.
    package func stop() {
        listener.stop()
        var one: UInt64 = 1
        _ = unsafe write(stopping.number, &one, 8)
    }

    private func reply(to record: ArraySlice<UInt8>, behind head: Int) -> [UInt8]? {
        var room = [UInt8](repeating: 0, count: 512)
        let count = unsafe record.withUnsafeBytes { call in
            unsafe room.withUnsafeMutableBytes { memory in
                var writer = unsafe XDRWriter(unsafely: memory, behind: head)
                let span = unsafe RawSpan(_unsafeBytes: call)
                guard mapper.answer(span, into: &writer), !writer.overflowed else { return 0 }
                if head > 0 { writer.replace(at: 0, with: RecordMarking.mark(length: writer.count - head)) }
                return writer.count
            }
        }
        return count > 0 ? Array(room.prefix(count)) : nil
    }

    private func answerDatagrams() {
        var buffer = [UInt8](repeating: 0, count: Portmapper.callLimit)
        while true {
            var waits = [
                pollfd(fd: socket.descriptor.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stopping.number, events: Int16(POLLIN), revents: 0),
            ]
            guard unsafe poll(&waits, 2, -1) > 0 else { continue }
            if waits[1].revents != 0 { return }
            do {
                guard let (count, origin) = try socket.receive(into: &buffer), count <= buffer.count else { continue }
                // To us alone: answers to broadcasts would make of a small question many answers.
                guard origin.destination == origin.local, let reply = reply(to: buffer[..<count], behind: 0) else {
                    continue
                }
                try socket.send(reply.span, to: origin.peer, from: origin.local)
            } catch {
                logger.debug("portmap", metadata: ["why": "\(error)"])
            }
        }
    }

    private func admit(_ client: StreamSocket) {
        guard clients.add(1, ordering: .relaxed).newValue <= Self.limit else {
            clients.subtract(1, ordering: .relaxed)
            return
        }
        do {
            try WorkerThread.start("portmap") { [self] in
                defer { clients.subtract(1, ordering: .relaxed) }
                client.setTimeouts(receive: Self.patience, send: Self.patience)
                for _ in 0..<Self.calls { guard serve(client) else { return } }
            }
        } catch {
            clients.subtract(1, ordering: .relaxed)
        }
    }

    /// Answers one call; false when the connection is over.
    private func serve(_ client: StreamSocket) -> Bool {
        guard let mark = read(4, client) else { return false }
        let word = mark.reduce(0) { $0 << 8 | UInt32($1) }
        let length = Int(word & 0x7fff_ffff)
        // A call is so short that nobody splits it.
        guard word >> 31 == 1, length > 0, length <= Portmapper.callLimit, let record = read(length, client),
            let reply = reply(to: record[...], behind: 4)
        else { return false }
        return (try? client.send(reply)) != nil
    }

    private func read(_ count: Int, _ client: StreamSocket) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var have = 0
        while have < count {
            let got = unsafe bytes.withUnsafeMutableBytes {
                (try? unsafe client.receive(into: UnsafeMutableRawBufferPointer(rebasing: $0[have...]))) ?? 0
            }
            guard got > 0 else { return nil }
            have += got
        }
        return bytes
    }
}
