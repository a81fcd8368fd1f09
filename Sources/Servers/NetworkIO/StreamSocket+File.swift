import CLinux

extension StreamSocket {
    /// Sends a part of a file without copying it through this process; gives the bytes that went out.
    ///
    /// Fewer than asked means that the file has become shorter. Throws `SystemCallError`; EAGAIN there means that the peer
    /// took nothing for the send timeout. `sent` counts along, also when it throws.
    public func sendFile(
        _ file: FileDescriptor,
        _ range: Range<UInt64>,
        sent: inout UInt64
    ) throws(SystemCallError) {
        var offset = off_t(range.lowerBound)
        var left = UInt64(range.count)
        while left > 0 {
            // The kernel moves at most 2 GiB in a call.
            let count = unsafe sendfile(descriptor.number, file.number, &offset, Int(min(left, 1 << 30)))
            if count > 0 {
                left -= UInt64(count)
                sent += UInt64(count)
            } else if count == 0 {
                return
            } else {
                let number = clinux_errno()
                if number != EINTR { throw SystemCallError("send a file", number: number) }
            }
        }
    }
}
