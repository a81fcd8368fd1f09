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
    private let datagrams: DatagramService
    private let mount: MountDatagrams
    private let listener: StreamListener
    private let mapper: Portmapper
    private let clients = Atomic(0)

    /// Clients over TCP at the same time; further ones are closed at once.
    private static let limit = 64
    /// How long one may take for a call, in seconds.
    private static let patience = 5.0
    /// Calls of one connection.
    private static let calls = 32

    /// Listens on UDP and TCP 111 at `address`; NFS is on the TCP port of `server`, MOUNT also on that port of UDP.
    ///
    /// Throws when the ports are taken.
    package init(on address: IPv4Address, beside server: NFSServer, logger: Logger) throws {
        let port = server.endpoint.port
        mapper = Portmapper([
            Portmapper.Entry(Portmapper.program, Portmapper.version, .tcp, Portmapper.port),
            Portmapper.Entry(Portmapper.program, Portmapper.version, .udp, Portmapper.port),
            Portmapper.Entry(NFS3.program, NFS3.version, .tcp, port),
            Portmapper.Entry(NFS3.program, NFS4.version, .tcp, port),
            Portmapper.Entry(Mount3.program, Mount3.version, .tcp, port),
            Portmapper.Entry(Mount3.program, Mount3.version, .udp, port),
        ])
        listener = try StreamListener(tcp: Endpoint(address, Portmapper.port))
        datagrams = try DatagramService(on: Endpoint(address, Portmapper.port), logger: logger)
        mount = try MountDatagrams(on: address, beside: server, logger: logger)
    }

    /// Answers on threads of its own.
    package func start() throws {
        try mount.start()
        try WorkerThread.start("portmap-udp") { [self] in
            datagrams.run(limit: Portmapper.callLimit) { call, _ in reply(to: call, behind: 0) }
        }
        try WorkerThread.start("portmap-tcp") { [self] in
            // Ends when the listener is stopped.
            while let client = try? listener.accept() { admit(client) }
        }
    }

    /// Ends it.
    package func stop() {
        listener.stop()
        datagrams.stop()
        mount.stop()
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
