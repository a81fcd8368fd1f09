import NBD
import Testing

@Suite struct SlowClientTests {
    /// Found by the fuzz target `nbd-handshake` (Fuzz/Crashes/nbd-handshake-option-in-many-pieces).
    @Test func anOptionInMoreThanAThousandPiecesIsOneOption() {
        var handshake = NBDHandshake()
        var arrived: [UInt8] = []
        let name = [UInt8](repeating: 0x78, count: 4000)
        let flags: [UInt8] = [0, 0, 0, 3]
        let option = Array("IHAVEOPT".utf8) + [0, 0, 0, 1] + [0, 0, 0x0F, 0xA0] + name
        var actions: [NBDHandshake.Action] = []
        for byte in flags + option {
            arrived.append(byte)
            let step = handshake.receive(arrived.span)
            arrived.removeFirst(step.consumed)
            actions += step.actions
        }
        #expect(actions == [.openExport(name: String(repeating: "x", count: 4000), purpose: .transmission)])
    }
}
