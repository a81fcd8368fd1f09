import CLinux

extension FileDescriptor {
    /// Lets the connections that this listening TCP socket accepts send without pacing (docs/decisions/0006-no-pacing.md).
    ///
    /// BBR sets a timer for nearly every segment; on a LAN that is most of the work of a sequential read. Where the
    /// kernel has no CUBIC, or forbids the choice, its own default stays.
    func setUnpacedCongestionControl() {
        let name = "cubic"
        _ = unsafe setsockopt(
            number,
            CInt(IPPROTO_TCP),
            TCP_CONGESTION,
            name,
            socklen_t(name.utf8.count)
        )
    }
}
