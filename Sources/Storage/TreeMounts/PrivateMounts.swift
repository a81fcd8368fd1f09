import CLinux

/// The mounts of this process alone: nobody else sees them, and they end with it, also after `kill -9`.
public enum PrivateMounts {
    /// From here on what this process mounts is its own; what others mount still arrives.
    ///
    /// Call it on the main thread before there is another one: the kernel keeps mounts for each thread, and a thread takes
    /// over those of the one that started it. Throws without the right to mount (CAP_SYS_ADMIN).
    public static func enter() throws(MountError) {
        guard clinux_own_mounts() == 0 else {
            throw MountError("keep mounts to itself", clinux_errno())
        }
    }
}

/// A file system cannot be mounted, or its directories not be made.
public struct MountError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried: "mount /srv/root.squashfs".
    public var action: String
    /// The kernel's error number (errno).
    public var number: CInt

    /// What to do about it, where the number does not tell.
    private var advice: String?

    init(_ action: String, _ number: CInt, advice: String? = nil) {
        self.action = action
        self.number = number
        self.advice = advice
    }

    /// One line with what to do about it, where that is known.
    public var description: String {
        let reason = unsafe String(cString: strerror(number))
        if let advice { return "cannot \(action): \(reason); \(advice)" }
        return switch number {
        case EPERM: "cannot \(action): \(reason); the server needs the right to mount (CAP_SYS_ADMIN)"
        case ENODEV: "cannot \(action): the kernel has no such file system (modules loop, squashfs, overlay)"
        case EBUSY: "cannot \(action): it is in use elsewhere"
        default: "cannot \(action): \(reason)"
        }
    }
}
