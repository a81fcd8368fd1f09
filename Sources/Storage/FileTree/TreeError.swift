import CLinux

/// A file operation failed, with the kernel's number for it.
package struct TreeError: Error, Equatable, Sendable {
    /// The error number (errno).
    package var number: CInt

    /// The error with this number, or the one of the last call in this thread.
    package init(_ number: CInt = clinux_errno()) { self.number = number }

    /// The handle's file is gone.
    package static let stale = TreeError(ESTALE)
    /// A handle that we never gave.
    package static let badHandle = TreeError(EBADF)
    /// The guard of a change does not hold.
    package static let notSynchronized = TreeError(EDEADLK)
}

/// A directory cannot be served, or what serving needs is not there: one line that says why and what to do.
package struct TreeRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// The line.
    package var description: String

    package init(text: String) { description = text }

    init(_ what: String, _ number: CInt) { description = unsafe "\(what): \(String(cString: strerror(number)))" }
}

/// Throws the error of this thread when `result` is negative.
@discardableResult
@inline(__always) func checked(_ result: CInt) throws(TreeError) -> CInt {
    guard result >= 0 else { throw TreeError() }
    return result
}
