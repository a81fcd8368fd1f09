/// Fails on purpose, for tests: a function decides for each call.
package final class FaultInjectionStorage: BlockStorage {
    /// A call that is about to be made.
    package enum Call: Equatable, Sendable {
        case read(offset: UInt64, length: Int)
        case write(offset: UInt64, length: Int)
        case flush
        case zero(offset: UInt64, length: UInt64)
    }

    private let base: any BlockStorage
    private let fault: @Sendable (Call) -> CInt?

    /// Wraps `base`; `fault` returns the errno to fail with, or nil, and may block.
    package init(_ base: any BlockStorage, fault: @escaping @Sendable (Call) -> CInt?) {
        self.base = base
        self.fault = fault
    }

    package var size: UInt64 { base.size }
    package var capabilities: BlockCapabilities { base.capabilities }

    private func consider(_ call: Call) throws(BlockError) {
        if let number = fault(call) { throw BlockError(number) }
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try consider(.read(offset: offset, length: buffer.count))
        unsafe try base.read(into: buffer, at: offset)
    }
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try consider(.write(offset: offset, length: bytes.count))
        unsafe try base.write(bytes, at: offset)
    }
    package func flush() throws(BlockError) {
        try consider(.flush)
        try base.flush()
    }
    package func trim(at offset: UInt64, length: UInt64) throws(BlockError) {
        try consider(.zero(offset: offset, length: length))
        try base.trim(at: offset, length: length)
    }
    package func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {
        try consider(.zero(offset: offset, length: length))
        try base.zero(at: offset, length: length, keepsSpace: keepsSpace)
    }
}
