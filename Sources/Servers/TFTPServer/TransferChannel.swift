import CLinux
import NetworkIO
import NetworkTypes
import TFTP

/// How a transfer's packets travel: over a socket of its own, or over the one that was asked.
enum TransferChannel: Sendable {
    case own(ConnectedDatagramSocket)
    case shared(UDPSocket, peer: Endpoint, local: IPv4Address)

    func send(_ packet: TFTPPacket) {
        switch self {
        case .own(let socket): socket.send(packet.encoded)
        case .shared(let socket, let peer, let local):
            let bytes = packet.encoded
            // A reply that the kernel cannot send is lost, as on any wire: the client asks again.
            try? socket.send(bytes.span, to: peer, from: local.isAny ? nil : local)
        }
    }

    /// Packets up to this size reach the peer in one piece, as far as the kernel knows.
    var blockSizeLimit: Int {
        guard case .own(let socket) = self, let mtu = socket.pathMTU else { return 1468 }
        return max(512, mtu - 32)
    }
}

/// A transfer that is ready to be driven by a worker.
struct PreparedTransfer: Sendable {
    var channel: TransferChannel
    var data: TransferData
    var transfer: ReadTransfer
    var request: TFTPContentRequest
    var began: UInt64
}

/// Nanoseconds of the monotonic clock.
func monotonicNow() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
