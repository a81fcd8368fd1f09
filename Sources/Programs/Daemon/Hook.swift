import BootModel
import NetworkTypes

/// A closure in a value of its own, to be kept in a `Mutex`.
///
/// Swift 6.3 wraps an optional closure anew each time it is read out of generic storage and put back, and each layer is called
/// from then on: after some hundred reads a thread's stack is full. A structure is copied as it is.
struct Hook<Input, Output>: Sendable {
    let run: @Sendable (Input) -> Output
}

/// Whose overlay files may have a problem.
struct OverlayQuestion: Sendable {
    var node: Node
    var mac: MACAddress
    var address: IPv4Address?
    var boot: BootIdentifier
}
