public import CLinux

/// Owns an open file descriptor and closes it at the end of its life.
///
/// A class, so that the threads of a server can share it; the number never changes, and closing early goes through
/// `shutdown` on sockets, never through closing a number that another thread may still use.
public final class FileDescriptor: Sendable {
    /// The kernel's number.
    public let number: CInt

    /// Takes over an open descriptor.
    public init(owning number: CInt) { self.number = number }

    deinit { close(number) }

    /// Takes over the result of a call that returns a descriptor or -1.
    ///
    /// Throws `SystemCallError` with `call` and the thread's errno when it is negative.
    public convenience init(_ call: String, _ result: CInt) throws(SystemCallError) {
        guard result >= 0 else { throw SystemCallError(call) }
        self.init(owning: result)
    }
}

/// A system call failed.
public struct SystemCallError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried, for a person: "bind UDP 10.0.0.1:67".
    public var call: String
    /// The error number (errno).
    public var number: CInt

    /// The failure of `call` with the errno of this thread, or the number given.
    public init(_ call: String, number: CInt = clinux_errno()) {
        self.call = call
        self.number = number
    }

    /// The C library's text for the number.
    public var reason: String { unsafe String(cString: strerror(number)) }

    /// One line.
    public var description: String { "\(call): \(reason)" }
}

/// Throws `SystemCallError` when `result` is negative; gives it back otherwise.
@discardableResult
public func check(_ call: @autoclosure () -> String, _ result: CInt) throws(SystemCallError) -> CInt {
    guard result >= 0 else {
        let number = clinux_errno()
        throw SystemCallError(call(), number: number)
    }
    return result
}
