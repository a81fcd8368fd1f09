import Testing

@testable import NFSServer

@Suite("Whose connection it is (version 4.0)")
struct SenderTests {
    @Test("The client that named itself; its next life takes its place, a second client makes it nobody's")
    func clients() {
        var sender = Sender40()
        #expect(sender.client == nil)
        sender.note(1) { _ in true }
        sender.note(1) { _ in true }
        #expect(sender.client == 1)
        sender.note(2) { $0 != 1 }
        #expect(sender.client == 2)
        sender.note(3) { _ in true }
        #expect(sender.client == nil)
        sender.note(2) { _ in true }
        #expect(sender.client == nil, "requests of both may come")
    }
}
