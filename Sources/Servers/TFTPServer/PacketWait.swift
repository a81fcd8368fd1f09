import CLinux

/// Waits for the packets of transfers, without sleeping where the next one is a moment away.
///
/// A client without windows acknowledges each block before it gets the next. On a fast network both sides then spend
/// most of the time falling asleep and waking up, some 25 µs each. So while packets keep coming within `limit`, the
/// thread looks for them until then before it sleeps; a transfer over a slower way, or none at all, costs no look.
struct PacketWait {
    /// How long to look, in nanoseconds.
    private static let limit: UInt64 = 60_000
    /// So many packets in a row that came in time make the thread look for the next.
    private static let trusted = 8

    private var inTime = 0

    /// The number of events that were written to `events`; 0 after `milliseconds`, of which -1 are for ever.
    mutating func wait(
        _ epoll: CInt,
        _ events: UnsafeMutablePointer<epoll_event>,
        _ capacity: CInt,
        milliseconds: CInt
    ) -> CInt {
        let began = monotonicNow()
        let looks = inTime >= Self.trusted
        if looks {
            repeat {
                let count = unsafe epoll_wait(epoll, events, capacity, 0)
                if count != 0 { return count }
            } while monotonicNow() - began < Self.limit
        }
        let count = unsafe epoll_wait(epoll, events, capacity, milliseconds)
        // What came after a sleep would have come sooner without one, by the time that waking up takes on both sides.
        let isSoon = count > 0 && !looks && monotonicNow() - began < 2 * Self.limit
        inTime = isSoon ? inTime + 1 : 0
        return count
    }
}
