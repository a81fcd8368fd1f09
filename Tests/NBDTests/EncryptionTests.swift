import NBD
import Testing

/// When TLS is offered, wanted or neither (protocol document, "TLS support").
@Suite struct EncryptionTests {
    let disk = ["disk": NBDExportDescription(size: 1 << 20, flags: [])]

    @Test func withoutACertificateItIsRefusedAndTheHandshakeGoesOn() {
        var client = HandshakeDialogue(exports: disk)
        #expect(client.option(.startTLS).map(\.type) == [.policy])
        #expect(client.tunnels == 0)
        #expect(client.option(.go, open("disk")).last?.type == .acknowledged)
    }

    @Test func theClientMayGoOnInTheClear() {
        var client = HandshakeDialogue(exports: disk, tls: .allowed)
        #expect(client.option(.go, open("disk")).last?.type == .acknowledged)
    }

    @Test func whatWasAgreedInTheClearIsForgotten() {
        var client = HandshakeDialogue(exports: disk, tls: .allowed)
        #expect(client.option(.structuredReply).map(\.type) == [.acknowledged])
        #expect(client.option(.startTLS).map(\.type) == [.acknowledged])
        #expect(client.tunnels == 1)
        #expect(client.option(.go, open("disk")).last?.type == .acknowledged)
        #expect(client.session?.headers == .simple)
    }

    @Test(arguments: [NBDOption.go, .info, .list, .structuredReply, .setMetaContext, NBDOption(rawValue: 77)])
    func nothingIsToldInTheClearWhereItIsRequired(option: NBDOption) {
        var client = HandshakeDialogue(exports: disk, tls: .required)
        #expect(client.option(option, open("disk")).map(\.type) == [.tlsRequired])
        #expect(client.asked.isEmpty)
        #expect(client.option(.startTLS).map(\.type) == [.acknowledged])
        #expect(client.option(.go, open("disk")).last?.type == .acknowledged)
    }

    @Test func theOptionThatCannotBeRefusedClosesWhereItIsRequired() {
        var client = HandshakeDialogue(exports: disk, tls: .required)
        #expect(client.send(optionBytes(.exportName, Array("disk".utf8))).isEmpty)
        #expect(client.closed == .some("this server speaks only TLS"))
    }

    @Test func itIsBegunOnceAndWithoutData() {
        var client = HandshakeDialogue(exports: disk, tls: .allowed)
        #expect(client.option(.startTLS, [1]).map(\.type) == [.invalid])
        #expect(client.option(.startTLS).map(\.type) == [.acknowledged])
        #expect(client.option(.startTLS).map(\.type) == [.invalid])
        #expect(client.tunnels == 1)
    }
}
