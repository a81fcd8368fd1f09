import CLinux
import NetworkIO
import NetworkTypes

/// Passes one TFTP client's packets on to a server and back, and loses every tenth of them.
final class LossyRelay: Sendable {
    private let near: UDPSocket
    private let far: UDPSocket

    /// Where the client shall go.
    var port: UInt16 { near.endpoint.port }

    init(to server: Endpoint) throws {
        near = try UDPSocket(bind: Endpoint(.loopback, 0))
        far = try UDPSocket(bind: Endpoint(.loopback, 0))
        try WorkerThread.start("lossy-relay") { [near, far, stop = Stop(self)] in
            Self.run(near, far, server, stop)
        }
    }

    /// Tells the thread to end without keeping the relay alive.
    private struct Stop: Sendable {
        weak var relay: LossyRelay?
        init(_ relay: LossyRelay) { self.relay = relay }
        var isSet: Bool { relay == nil }
    }

    private static func run(_ near: UDPSocket, _ far: UDPSocket, _ server: Endpoint, _ stop: Stop) {
        var client: Endpoint?
        var transfer = server
        var counted = 0
        var buffer = [UInt8](repeating: 0, count: 65536)
        while !stop.isSet {
            var waits = [near, far].map { pollfd(fd: $0.descriptor.number, events: Int16(POLLIN), revents: 0) }
            _ = unsafe poll(&waits, 2, 100)
            for (index, socket) in [near, far].enumerated() where waits[index].revents != 0 {
                guard let (count, origin) = try? socket.receive(into: &buffer, flags: CInt(MSG_DONTWAIT)) else {
                    continue
                }
                counted += 1
                let isLost = counted % 10 == 0
                let bytes = buffer.span.extracting(0..<count)
                if index == 0 {
                    // A request begins anew; everything else goes to the port that the server has chosen for it.
                    if count > 1, bytes[1] == 1 { transfer = server }
                    client = origin.peer
                    if !isLost { try? far.send(bytes, to: transfer) }
                } else if let client {
                    transfer = origin.peer
                    if !isLost { try? near.send(bytes, to: client) }
                }
            }
        }
    }
}
