import DHCP
import NetworkTypes

/// A node's address that all tests here use.
let nodeMAC = MACAddress(value: 0x5254_0012_3456)

/// A request with `options`, every header field set to something that is not zero.
func sampleMessage(_ options: [DHCPOption], operation: DHCPOperation = .request) -> DHCPMessage {
    var message = DHCPMessage(operation: operation, hardware: ClientHardware(nodeMAC), transaction: 0x1234_5678)
    message.hops = 1
    message.seconds = 4
    message.isBroadcast = true
    message.clientAddress = IPv4Address(10, 0, 0, 71)
    message.yourAddress = IPv4Address(10, 0, 0, 72)
    message.nextServer = IPv4Address(10, 0, 0, 1)
    message.relayAgent = IPv4Address(10, 0, 1, 1)
    message.serverNameText = "server"
    message.bootFileText = "undionly.kpxe"
    message.options = DHCPOptions(options)
    return message
}

/// What the other side reads.
func overTheWire(_ message: DHCPMessage) throws -> DHCPMessage {
    try DHCPMessage(decoding: message.encode().span)
}

/// A linear congruential generator: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
