import CLinux
import NetworkIO
import NetworkTypes
import TFTP

/// The transfers of one worker thread.
struct TransferLoop: ~Copyable {
    /// A transfer under way: an object, because copying its parts for each packet costs as much as a system call.
    private final class Active {
        let prepared: PreparedTransfer
        var transfer: ReadTransfer
        /// Tells this use of the slot from an earlier one, whose events may still be queued.
        let generation: UInt32
        var segmented = true

        init(_ prepared: PreparedTransfer, generation: UInt32) {
            self.prepared = prepared
            transfer = prepared.transfer
            self.generation = generation
        }
    }

    private let epoll: FileDescriptor
    private let ended: (TFTPTransferReport) -> Void
    private var slots: [Active?] = []
    private var free: [Int] = []
    private var sharing: [Endpoint: Int] = [:]
    private var generation: UInt32 = 0
    private var sender = BlockSender()
    private var buffer = [UInt8](repeating: 0, count: 2048)

    init(epoll: FileDescriptor, ended: @escaping (TFTPTransferReport) -> Void) {
        self.epoll = epoll
        self.ended = ended
    }

    var isEmpty: Bool { slots.count == free.count }

    mutating func begin(_ prepared: PreparedTransfer, _ now: UInt64) {
        generation &+= 1
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(nil) }
        let active = Active(prepared, generation: generation)
        slots[slot] = active
        switch prepared.channel {
        case .own(let socket):
            do {
                try TransferWorker.watch(epoll, socket.descriptor, UInt64(generation) << 32 | UInt64(slot))
            } catch {
                end(slot, .aborted(.notDefined, "\(error)"), now)
                return
            }
        case .shared(_, let peer, _):
            // The client asks anew: it has given the older transfer up.
            if let older = sharing[peer] { end(older, .probed, now) }
            sharing[peer] = slot
        }
        perform(active.transfer.start(now: now), slot, now)
    }

    /// A transfer's own socket has something.
    mutating func socketReady(_ mark: UInt64, _ now: UInt64) {
        let slot = Int(mark & 0xFFFF_FFFF)
        guard slot < slots.count, let active = slots[slot], active.generation == UInt32(mark >> 32),
            case .own(let socket) = active.prepared.channel
        else { return }
        do throws(SystemCallError) {
            guard let count = try receive(socket) else { return }
            take(Self.decode(buffer.span.extracting(0..<count)), slot, now)
        } catch {
            perform(closed(slot), slot, now)
        }
    }

    private mutating func receive(_ socket: ConnectedDatagramSocket) throws(SystemCallError) -> Int? {
        var failure: SystemCallError?
        let count = unsafe buffer.withUnsafeMutableBytes { bytes -> Int? in
            do throws(SystemCallError) { return unsafe try socket.receive(into: bytes) } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        return count
    }

    /// The client's port is closed: it has gone without a word, as a program does that only wanted the size.
    private mutating func closed(_ slot: Int) -> ReadTransfer.Action {
        slots[slot]?.transfer.received(error: .unknownTransfer, "the client closed its port") ?? .wait
    }

    /// A packet for a transfer that shares the server's port.
    mutating func packet(_ bytes: [UInt8], from peer: Endpoint, _ now: UInt64) {
        guard let slot = sharing[peer] else { return }
        take(Self.decode(bytes.span), slot, now)
    }

    private enum Event {
        case acknowledgement(UInt16)
        case error(TFTPErrorCode, String)
        case noise
    }

    private static func decode(_ bytes: Span<UInt8>) -> Event {
        // The usual packet, without the cost of a packet value: ACK and its block number.
        if bytes.count >= 4, bytes[0] == 0, bytes[1] == 4 {
            return .acknowledgement(UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
        }
        guard case .error(let code, let message)? = try? TFTPPacket(bytes) else { return .noise }
        return .error(code, message)
    }

    private mutating func take(_ event: Event, _ slot: Int, _ now: UInt64) {
        switch event {
        case .acknowledgement(let number):
            perform(slots[slot]?.transfer.received(acknowledgement: number, now: now) ?? .wait, slot, now)
        case .error(let code, let message):
            perform(slots[slot]?.transfer.received(error: code, message) ?? .wait, slot, now)
        case .noise: return
        }
    }

    mutating func checkDeadlines(_ now: UInt64) {
        for slot in slots.indices {
            guard let deadline = slots[slot]?.transfer.deadline, deadline <= now else { continue }
            perform(slots[slot]?.transfer.timedOut(now: now) ?? .wait, slot, now)
        }
    }

    mutating func endAll(_ now: UInt64) {
        for slot in slots.indices where slots[slot] != nil {
            slots[slot]?.prepared.channel.send(.error(.notDefined, "the server is stopping"))
            end(slot, .aborted(.notDefined, "the server is stopping"), now)
        }
    }

    private mutating func perform(_ action: ReadTransfer.Action, _ slot: Int, _ now: UInt64) {
        switch action {
        case .wait: return
        case .sendOptions:
            guard let active = slots[slot] else { return }
            active.prepared.channel.send(.optionAcknowledgement(active.transfer.options.granted))
        case .sendBlocks(let blocks): send(blocks, slot, now)
        case .end(let outcome): end(slot, outcome, now)
        }
    }

    private mutating func send(_ blocks: ClosedRange<UInt64>, _ slot: Int, _ now: UInt64) {
        guard let active = slots[slot] else { return }
        switch active.prepared.channel {
        case .own(let socket):
            let outcome = sender.send(
                blocks,
                of: active.transfer,
                from: active.prepared.data,
                over: socket.descriptor.number,
                segmented: &active.segmented
            )
            guard case .failed(let number) = outcome else { return }
            // EFAULT: the file has become shorter than it was when the client was told its size.
            let problem =
                number == EFAULT
                ? "the file changed while it was sent" : SystemCallError("send", number: number).description
            if number == ECONNREFUSED {
                perform(closed(slot), slot, now)
            } else {
                active.prepared.channel.send(.error(.notDefined, problem))
                end(slot, .aborted(.notDefined, problem), now)
            }
        case .shared:
            for block in blocks {
                guard let payload = active.prepared.data.read(active.transfer.bytes(of: block)) else { return }
                active.prepared.channel.send(.data(block: active.transfer.wireNumber(of: block), payload))
            }
        }
    }

    private mutating func end(_ slot: Int, _ outcome: ReadTransfer.Outcome, _ now: UInt64) {
        guard let active = slots[slot] else { return }
        let prepared = active.prepared
        slots[slot] = nil
        free.append(slot)
        if case .shared(_, let peer, _) = prepared.channel, sharing[peer] == slot { sharing[peer] = nil }
        ended(
            TFTPTransferReport(
                request: prepared.request,
                size: active.transfer.size,
                bytes: active.transfer.acknowledgedBytes,
                blockSize: active.transfer.options.blockSize,
                windowSize: active.transfer.options.windowSize,
                seconds: Double(now - min(now, prepared.began)) / 1e9,
                retransmissions: active.transfer.retransmissions,
                outcome: outcome
            )
        )
    }
}
