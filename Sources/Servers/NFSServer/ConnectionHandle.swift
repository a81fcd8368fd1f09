import CLinux
import NetworkIO
import NetworkTypes
import Synchronization

/// What other threads may do to a connection: end it.
// Not checked: the lock is a pointer, which is set once.
@safe final class ConnectionHandle: @unchecked Sendable {
    let number: UInt64
    let socket: StreamSocket
    let peer: Endpoint
    private let stopped = Atomic(false)
    private let known = Atomic(false)
    private let idle = Atomic(false)
    /// Held while bytes of one message go out: replies from one thread, calls to the client from another.
    private let sending = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init(_ number: UInt64, _ socket: StreamSocket, _ peer: Endpoint) {
        self.number = number
        self.socket = socket
        self.peer = peer
        var attributes = pthread_mutexattr_t()
        unsafe pthread_mutexattr_init(&attributes)
        unsafe pthread_mutexattr_settype(&attributes, CInt(PTHREAD_MUTEX_RECURSIVE))
        unsafe sending.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(sending, &attributes)
        unsafe pthread_mutexattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_mutex_destroy(sending)
        unsafe sending.deallocate()
    }

    /// Keeps other threads from sending until `endSending`; may be nested.
    func beginSending() { unsafe pthread_mutex_lock(sending) }

    /// As `beginSending`, but gives up when another thread sends.
    func tryBeginSending() -> Bool { unsafe pthread_mutex_trylock(sending) == 0 }

    /// Ends `beginSending`, on the same thread.
    func endSending() { unsafe pthread_mutex_unlock(sending) }

    /// Whether the connection must do no further request.
    var isStopped: Bool { stopped.load(ordering: .acquiring) }

    /// Whether it has made a call that we understand.
    var isKnown: Bool { known.load(ordering: .acquiring) }

    func setKnown() { known.store(true, ordering: .releasing) }

    /// Whether nothing has come for a while.
    var isIdle: Bool { idle.load(ordering: .relaxed) }

    func setIdle(_ isIdle: Bool) { idle.store(isIdle, ordering: .relaxed) }

    /// Lets the connection finish the requests it has read, and no more.
    func drain() {
        stopped.store(true, ordering: .releasing)
        shutdown(socket.descriptor.number, CInt(SHUT_RD))
    }

    /// Ends the connection, also in the middle of a reply.
    func cut() {
        stopped.store(true, ordering: .releasing)
        socket.disconnect()
    }
}
