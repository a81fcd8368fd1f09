import CLinux

/// A plain operating-system thread: the data planes block in system calls and must not borrow the cooperative pool.
public enum WorkerThread {
    private final class Box {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Runs `body` on a new detached thread; `name` (15 bytes are kept) is what ps and gdb show.
    ///
    /// Throws `SystemCallError` when the kernel has no thread to give. Signals are blocked in it: the main thread takes them.
    public static func start(
        _ name: String,
        stackBytes: Int = 256 << 10,
        _ body: @escaping @Sendable () -> Void
    ) throws(SystemCallError) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, stackBytes)
        unsafe pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        let box = unsafe Unmanaged.passRetained(Box(name: name, body: body))
        var thread = pthread_t()
        let result = unsafe pthread_create(&thread, &attributes, entry, box.toOpaque())
        guard result == 0 else {
            unsafe box.release()
            throw SystemCallError("start thread \(name)", number: result)
        }
    }

    // A function of its own, without isolation: a closure written in top-level code would be bound to the main actor.
    private static let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = unsafe run
}

private func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    unsafe WorkerThread.runBoxed(argument)
    return nil
}

extension WorkerThread {
    fileprivate static func runBoxed(_ argument: UnsafeMutableRawPointer) {
        let box = unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue()
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
        unsafe pthread_setname_np(pthread_self(), String(box.name.prefix(15)))
        box.body()
    }
}
