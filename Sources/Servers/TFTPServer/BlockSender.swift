import CLinux
import NetworkIO
import TFTP

/// Sends the blocks of a window with as few system calls as the kernel allows.
///
/// One UDP_SEGMENT call carries up to 64 blocks, which the kernel or the network card cuts into packets: about a third of the
/// cost of sendmmsg. Where that is refused (no checksum offload, blocks larger than the way allows) sendmmsg takes over.
@safe struct BlockSender: ~Copyable {
    /// Blocks in one call: UDP_MAX_SEGMENTS of the older kernels.
    private static let batch = 64
    /// A datagram before it is cut stays below 64 KiB.
    private static let byteLimit = 65_000

    private let headers = UnsafeMutablePointer<UInt32>.allocate(capacity: batch)
    private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: 2 * batch)
    private let messages = UnsafeMutablePointer<mmsghdr>.allocate(capacity: batch)
    private let control = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)

    init() {
        unsafe headers.initialize(repeating: 0, count: Self.batch)
        unsafe vectors.initialize(repeating: iovec(), count: 2 * Self.batch)
        unsafe messages.initialize(repeating: mmsghdr(), count: Self.batch)
    }

    deinit {
        unsafe headers.deallocate()
        unsafe vectors.deallocate()
        unsafe messages.deallocate()
        unsafe control.deallocate()
    }

    /// How a sending ended.
    enum Outcome {
        case sent
        /// The kernel has no room: the blocks are lost, as on any wire, and are sent again after the client's silence.
        case dropped
        case failed(CInt)
    }

    /// Sends DATA packets of `transfer` over a connected socket; `segmented` turns false when the kernel refuses that.
    mutating func send(
        _ blocks: ClosedRange<UInt64>,
        of transfer: ReadTransfer,
        from data: TransferData,
        over socket: CInt,
        segmented: inout Bool
    ) -> Outcome {
        let size = transfer.options.blockSize
        let most = UInt64(max(1, min(Self.batch, Self.byteLimit / (size + 4))))
        var first = blocks.lowerBound
        while first <= blocks.upperBound {
            let last = min(first + (segmented ? most : UInt64(Self.batch)) - 1, blocks.upperBound)
            let count = Int(last - first) + 1
            prepare(first, count, transfer, data)
            if count == 1 {
                if let failure = sendOne(socket) { return failure }
            } else if segmented {
                switch sendSegments(socket, count, size + 4) {
                case 0: break
                case EINVAL, EIO, EMSGSIZE, EOPNOTSUPP, ENOPROTOOPT:
                    segmented = false
                    continue
                case let number: return Self.outcome(number)
                }
            } else if let failure = sendEach(socket, count) {
                return failure
            }
            first = last + 1
        }
        return .sent
    }

    private func prepare(_ first: UInt64, _ count: Int, _ transfer: ReadTransfer, _ data: TransferData) {
        for index in 0..<count {
            let block = first + UInt64(index)
            let range = transfer.bytes(of: block)
            unsafe headers[index] = (3 << 16 | UInt32(transfer.wireNumber(of: block))).bigEndian
            unsafe vectors[2 * index] = iovec(iov_base: headers + index, iov_len: 4)
            unsafe vectors[2 * index + 1] = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: data.base + Int(range.lowerBound)),
                iov_len: range.count
            )
        }
    }

    private func sendOne(_ socket: CInt) -> Outcome? {
        var message = unsafe msghdr()
        unsafe message.msg_iov = vectors
        unsafe message.msg_iovlen = 2
        return unsafe sendmsg(socket, &message, CInt(MSG_NOSIGNAL)) >= 0 ? nil : Self.outcome(clinux_errno())
    }

    private func sendSegments(_ socket: CInt, _ count: Int, _ size: Int) -> CInt {
        var message = unsafe msghdr()
        unsafe message.msg_iov = vectors
        unsafe message.msg_iovlen = 2 * count
        unsafe clinux_set_segment_size(&message, control, 64, UInt16(size))
        return unsafe sendmsg(socket, &message, CInt(MSG_NOSIGNAL)) >= 0 ? 0 : clinux_errno()
    }

    private func sendEach(_ socket: CInt, _ count: Int) -> Outcome? {
        for index in 0..<count {
            var message = unsafe msghdr()
            unsafe message.msg_iov = vectors + 2 * index
            unsafe message.msg_iovlen = 2
            unsafe messages[index] = mmsghdr(msg_hdr: message, msg_len: 0)
        }
        var done = 0
        while done < count {
            let sent = unsafe sendmmsg(socket, messages + done, UInt32(count - done), CInt(MSG_NOSIGNAL))
            guard sent > 0 else { return Self.outcome(clinux_errno()) }
            done += Int(sent)
        }
        return nil
    }

    private static func outcome(_ number: CInt) -> Outcome {
        switch number {
        case EAGAIN, ENOBUFS, ENOMEM, EINTR, EPERM, ENETUNREACH, EHOSTUNREACH, ENETDOWN: .dropped
        default: .failed(number)
        }
    }
}
