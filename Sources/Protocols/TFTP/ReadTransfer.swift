/// The server's side of one read (RFC 1350, windows RFC 7440): packets and time go in, what to send comes out.
///
///     start ──options──▶ negotiating ──ACK 0──▶ sending ──last ACK──▶ ended
///       └───no options────────────────────────────▲        ERROR, silence ──▶ ended
///
/// Blocks are counted from 1 without end here; `wireNumber` is what the 16-bit field says. A block is sent again after a
/// silence, or when an acknowledgement inside the window tells of a gap: never because one came twice in lock-step (the
/// Sorcerer's Apprentice fault, RFC 1123 section 4.2.3.1).
public struct ReadTransfer: Sendable {
    /// How a transfer ended.
    public enum Outcome: Equatable, Sendable {
        /// The last block was acknowledged.
        case complete
        /// The client stopped within its first window: it wanted the size, or to know whether the file is there.
        ///
        /// Usual with PXE ROMs, PXELINUX and the Raspberry Pi; not a fault.
        case probed
        /// The client stopped later, and said why.
        case aborted(TFTPErrorCode, String)
        /// The client fell silent.
        case timedOut
    }

    /// What to do next.
    public enum Action: Equatable, Sendable {
        /// Nothing.
        case wait
        /// Send the OACK.
        case sendOptions
        /// Send these blocks, counted from 1.
        case sendBlocks(ClosedRange<UInt64>)
        /// The transfer is over.
        case end(Outcome)
    }

    private enum Phase { case negotiating, sending, ended }

    /// Blocks sent again without an answer before the client counts as gone.
    public static let patience = 6

    /// The same for a client that has not answered anything yet: a request with a made-up sender must not hold a place for
    /// long, and a client that missed the answer asks anew.
    public static let patienceWithStrangers = 3

    /// What was agreed on.
    public let options: TransferOptions
    /// How many bytes travel.
    public let size: UInt64
    /// When `timedOut` is due, in the same nanoseconds as every `now`.
    public private(set) var deadline: UInt64
    /// The last block that the client acknowledged; 0 before the first.
    public private(set) var acknowledged: UInt64 = 0
    /// How often a silence made blocks travel again.
    public private(set) var retransmissions = 0

    private var phase: Phase
    /// Whether the client has acknowledged anything.
    private var isHeard = false
    private var sent: UInt64 = 0
    private var silences = 0
    /// No further rewind until the client moves: one was made for this position, or the one before it.
    private var rewound = false
    private var shielded = false
    private var wrapsToOne = false
    private var sentAt: UInt64
    private var roundTrip: UInt64 = 0
    private let second: UInt64 = 1_000_000_000
    private static let strangersTimeout = 8

    /// A transfer of `size` bytes that begins `now` (monotonic nanoseconds).
    public init(size: UInt64, options: TransferOptions, now: UInt64) {
        self.size = size
        self.options = options
        phase = options.granted.isEmpty ? .sending : .negotiating
        sentAt = now
        deadline = now
        deadline = now + interval
    }

    /// How many blocks the file has; the last is shorter than the others, perhaps empty.
    public var blockCount: UInt64 { size / UInt64(options.blockSize) + 1 }

    /// How many bytes the client has acknowledged.
    public var acknowledgedBytes: UInt64 { min(size, acknowledged * UInt64(options.blockSize)) }

    /// The place of a block in the file.
    public func bytes(of block: UInt64) -> Range<UInt64> {
        let start = min(size, (block - 1) * UInt64(options.blockSize))
        return start..<min(size, start + UInt64(options.blockSize))
    }

    /// The number of a block on the wire: 16 bits, after 65535 comes 0.
    ///
    /// Some clients expect 1 there; `timedOut` finds out.
    public func wireNumber(of block: UInt64) -> UInt16 {
        wrapsToOne && block > 0 ? UInt16((block - 1) % 65535 + 1) : UInt16(truncatingIfNeeded: block)
    }

    /// The first thing to send.
    public mutating func start(now: UInt64) -> Action {
        phase == .negotiating ? .sendOptions : window(now)
    }

    /// The client sent ACK.
    public mutating func received(acknowledgement number: UInt16, now: UInt64) -> Action {
        switch phase {
        case .ended: return .wait
        case .negotiating:
            guard number == 0 else { return .wait }
            phase = .sending
            isHeard = true
            measure(now)
            silences = 0
            return window(now)
        case .sending:
            guard let block = unwrap(number) else { return .wait }
            isHeard = true
            return block == acknowledged ? repeated(now) : advanced(to: block, now)
        }
    }

    /// The client sent ERROR.
    public mutating func received(error code: TFTPErrorCode, _ message: String) -> Action {
        guard phase != .ended else { return .wait }
        phase = .ended
        let probed = code == .optionsRefused || acknowledged <= UInt64(options.windowSize)
        return .end(probed ? .probed : .aborted(code, message))
    }

    /// `deadline` has passed.
    public mutating func timedOut(now: UInt64) -> Action {
        guard phase != .ended else { return .wait }
        silences += 1
        guard silences <= (isHeard ? Self.patience : Self.patienceWithStrangers) else {
            phase = .ended
            return .end(.timedOut)
        }
        retransmissions += 1
        if phase == .negotiating {
            sentAt = 0
            deadline = now + interval
            return .sendOptions
        }
        // A client that wants block 1 after 65535 leaves block 0 unanswered: try both in turn.
        if acknowledged == 65535 { wrapsToOne.toggle() }
        return again(now)
    }

    /// The block that an acknowledgement means, if it lies between the last acknowledged one and the last sent one.
    private func unwrap(_ number: UInt16) -> UInt64? {
        let back: UInt64
        if wrapsToOne {
            guard number > 0 || sent == 0 else { return acknowledged == 0 ? 0 : nil }
            back = (UInt64(wireNumber(of: sent)) + 65535 - UInt64(number)) % 65535
        } else {
            back = UInt64(wireNumber(of: sent) &- number)
        }
        return back <= sent - acknowledged ? sent - back : nil
    }

    private mutating func advanced(to block: UInt64, _ now: UInt64) -> Action {
        let gap = block < sent
        acknowledged = block
        silences = 0
        shielded = rewound && !gap
        rewound = gap
        if !gap { measure(now) }
        guard acknowledged < blockCount else {
            phase = .ended
            return .end(.complete)
        }
        return window(now)
    }

    /// The same acknowledgement again: in a window the client may mean that the window's first block is missing.
    ///
    /// Once for each position, and not for the position right after a rewind, whose blocks may have travelled twice:
    /// else every later window would.
    private mutating func repeated(_ now: UInt64) -> Action {
        guard options.windowSize > 1, !rewound, !shielded, sent > acknowledged else { return .wait }
        rewound = true
        return again(now)
    }

    private mutating func again(_ now: UInt64) -> Action {
        let action = window(now)
        sentAt = 0
        return action
    }

    private mutating func window(_ now: UInt64) -> Action {
        let last = min(acknowledged + UInt64(options.windowSize), blockCount)
        sent = last
        sentAt = now
        deadline = now + interval
        return .sendBlocks(acknowledged + 1...last)
    }

    /// Takes the time from the sending to the answer, unless blocks were sent twice (Karn's rule).
    private mutating func measure(_ now: UInt64) {
        guard sentAt > 0, now > sentAt else { return }
        let sample = now - sentAt
        roundTrip = roundTrip == 0 ? sample : (roundTrip * 7 + sample) / 8
    }

    /// How long to wait for an answer: the client's `timeout`; else four round trips, at least 0.2 s and at most 1 s.
    ///
    /// Doubled with each silence, to at most 8 s more than that. A client that has not answered anything yet is asked again
    /// after at most 8 s, whatever it chose.
    private var interval: UInt64 {
        let base: UInt64
        if let timeout = options.timeout {
            base = UInt64(isHeard ? timeout : min(timeout, Self.strangersTimeout)) * second
        } else {
            base = roundTrip == 0 ? second : min(max(4 * roundTrip, second / 5), second)
        }
        return min(base << UInt64(silences), base + 8 * second)
    }
}
