public import BootModel
import CLinux

/// The computer's clock.
public struct SystemClock: BootModel.Clock {
    /// The computer's clock.
    public init() {}

    /// Now.
    public func now() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
