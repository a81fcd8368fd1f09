import BootModel
import CLinux

/// Moments as a person at this computer reads them.
enum LocalTime {
    /// `2026-11-21 11:20:33`.
    static func full(_ time: Timestamp) -> String {
        let parts = unsafe parts(time)
        return unsafe "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) \(clock(parts))"
    }

    /// `11:20:33.125`.
    static func clock(_ time: Timestamp) -> String {
        let milliseconds = (time.microseconds - time.seconds * 1_000_000) / 1000
        return unsafe "\(clock(parts(time))).\(milliseconds < 10 ? "00" : milliseconds < 100 ? "0" : "")\(milliseconds)"
    }

    private static func clock(_ parts: tm) -> String {
        unsafe "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }

    private static func two(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func parts(_ time: Timestamp) -> tm {
        var seconds = time_t(time.seconds)
        var parts = unsafe tm()
        _ = unsafe localtime_r(&seconds, &parts)
        return unsafe parts
    }
}
