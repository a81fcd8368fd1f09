import TFTP
import Testing

@Suite struct TransferOptionsTests {
    private func settle(_ options: [TFTPOption], mode: TFTPMode = .octet, limits: TransferLimits = .init())
        -> TransferOptions
    {
        TransferOptions(TFTPRequest(fileName: [0x61], mode: mode, options: options), size: 1000, limits: limits)
    }

    @Test func grantsOnlyWhatWasAsked() {
        let settled = settle([.init(.transferSize, "0"), .init(.init(rawValue: "multicast"), "")])
        #expect(settled.granted == [.init(.transferSize, "1000")])
        #expect(settled.blockSize == 512)
        #expect(settled.windowSize == 1)
    }

    @Test func clampsToWhatOnePacketCarries() {
        let settled = settle(
            [.init(.blockSize, "65464"), .init(.windowSize, "65535")],
            limits: .init(blockSize: 1468, windowSize: 64)
        )
        #expect(settled.granted == [.init(.blockSize, "1468"), .init(.windowSize, "64")])
    }

    @Test(arguments: ["7", "-1", "", "x", "1e3", "99999999999999999999"]) func ignoresNonsense(value: String) {
        #expect(settle([.init(.blockSize, value)]) == TransferOptions())
    }

    @Test func windowsAreForOctetOnly() {
        #expect(settle([.init(.windowSize, "4")], mode: .netascii).granted.isEmpty)
    }

    @Test func timeoutHasARange() {
        #expect(settle([.init(.timeout, "0")]).granted.isEmpty)
        #expect(settle([.init(.timeout, "256")]).granted.isEmpty)
        #expect(settle([.init(.timeout, "3")]).timeout == 3)
    }

    @Test func theFirstOfTwoCounts() {
        #expect(settle([.init(.blockSize, "1024"), .init(.blockSize, "600")]).blockSize == 1024)
    }
}
