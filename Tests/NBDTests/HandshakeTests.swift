import NBD
import Testing

@Suite struct HandshakeTests {
    let disk = ["disk": NBDExportDescription(size: 0x0102_0304_0506, flags: [.readOnly, .flush], text: "a disk")]

    @Test func greetsAsFixedNewstyle() {
        #expect(NBDHandshake.greeting == Array("NBDMAGICIHAVEOPT".utf8) + [0, 3])
    }

    @Test func goTellsSizeAndFlagsAndOpens() {
        var client = HandshakeDialogue(exports: disk)
        let export: [UInt8] = [0, 0] + [0, 0, 1, 2, 3, 4, 5, 6] + [0, 0b111]
        #expect(
            client.option(.go, open("disk")) == [
                OptionAnswer(type: .info, data: export), OptionAnswer(type: .acknowledged, data: []),
            ]
        )
        #expect(
            client.session
                == NBDSession(exportName: "disk", size: 0x0102_0304_0506, flags: [.hasFlags, .readOnly, .flush])
        )
        #expect(client.asked == [.transmission])
    }

    @Test func infoTellsWhatIsAskedAndGoesOn() {
        var client = HandshakeDialogue(exports: disk)
        let answers = client.option(.info, open("disk", .name, .description, .blockSize, NBDInfo(rawValue: 99)))
        #expect(answers.map(\.type) == [.info, .info, .info, .info, .acknowledged])
        #expect(answers[1].data == [0, 1] + Array("disk".utf8))
        #expect(answers[2].data == [0, 2] + Array("a disk".utf8))
        #expect(answers[3].data == [0, 3] + [0, 0, 0, 1] + [0, 0, 0x10, 0] + [2, 0, 0, 0])
        #expect(client.session == nil)
        #expect(client.asked == [.information])
        #expect(client.option(.go, open("disk")).last?.type == .acknowledged)
    }

    @Test func anUnknownExportIsRefusedAndTheHandshakeGoesOn() {
        var client = HandshakeDialogue(exports: disk)
        let refusal = client.option(.go, open("tape"))
        #expect(refusal == [OptionAnswer(type: .unknown, data: Array("no export tape".utf8))])
        #expect(client.option(.go, open("disk")).last?.type == .acknowledged)
    }

    @Test(arguments: [(UInt32(3), 10), (UInt32(1), 134)])
    func exportNamePadsUnlessToldNotTo(flags: UInt32, size: Int) {
        var client = HandshakeDialogue(exports: disk, flags: flags)
        let answer = client.send(optionBytes(.exportName, Array("disk".utf8)))
        #expect(answer.count == size)
        #expect(answer.prefix(10) == [0, 0, 1, 2, 3, 4, 5, 6, 0, 0b111])
        #expect(client.session?.exportName == "disk")
    }

    @Test func exportNameCanOnlyBeRefusedByClosing() {
        var client = HandshakeDialogue(exports: disk)
        #expect(client.send(optionBytes(.exportName, Array("tape".utf8))).isEmpty)
        #expect(client.closed == .some("no export tape"))
    }

    @Test func listsEveryExport() {
        var exports = disk
        exports["empty"] = NBDExportDescription(size: 0, flags: [])
        var client = HandshakeDialogue(exports: exports)
        #expect(
            client.option(.list) == [
                OptionAnswer(type: .server, data: [0, 0, 0, 4] + Array("diska disk".utf8)),
                OptionAnswer(type: .server, data: [0, 0, 0, 5] + Array("empty".utf8)),
                OptionAnswer(type: .acknowledged, data: []),
            ]
        )
    }

    @Test func abortIsAcknowledgedAndCloses() {
        var client = HandshakeDialogue()
        #expect(client.option(.abort) == [OptionAnswer(type: .acknowledged, data: [])])
        #expect(client.closed == .some(nil))
    }

    @Test(arguments: [NBDOption(rawValue: 4), NBDOption(rawValue: 12), NBDOption(rawValue: 0xffff_ffff)])
    func unknownOptionsAreRefusedAndTheHandshakeGoesOn(option: NBDOption) {
        var client = HandshakeDialogue(exports: disk)
        #expect(client.option(option, [1, 2, 3]).map(\.type) == [.unsupported])
        #expect(client.option(.go, open("disk")).last?.type == .acknowledged)
    }

    @Test func structuredRepliesAndAllocationAreAgreed() {
        var client = HandshakeDialogue(exports: disk)
        #expect(client.option(.setMetaContext, contexts("disk", "base:allocation")).map(\.type) == [.invalid])
        #expect(client.option(.structuredReply).map(\.type) == [.acknowledged])
        let context = OptionAnswer(type: .metaContext, data: [0, 0, 0, 1] + Array("base:allocation".utf8))
        let done = OptionAnswer(type: .acknowledged, data: [])
        #expect(client.option(.setMetaContext, contexts("disk", "qemu:x", "base:allocation")) == [context, done])
        #expect(client.option(.listMetaContext, contexts("disk")).map(\.type) == [.metaContext, .acknowledged])
        #expect(
            client.option(.listMetaContext, contexts("disk", "base:")).map(\.type) == [.metaContext, .acknowledged]
        )
        #expect(client.option(.listMetaContext, contexts("disk", "qemu:")).map(\.type) == [.acknowledged])
        #expect(client.option(.go, open("disk")).last?.type == .acknowledged)
        #expect(client.session?.headers == .structured)
        #expect(client.session?.allocationContext == 1)
        #expect(client.session?.flags.contains(.doNotFragment) == true)
    }

    @Test func extendedHeadersReplaceStructuredReplies() {
        var client = HandshakeDialogue(exports: disk)
        #expect(client.option(.extendedHeaders, [1]).map(\.type) == [.invalid])
        #expect(client.option(.structuredReply).map(\.type) == [.acknowledged])
        #expect(client.option(.extendedHeaders).map(\.type) == [.acknowledged])
        #expect(client.option(.structuredReply).map(\.type) == [.extendedHeadersRequired])
        #expect(
            client.option(.setMetaContext, contexts("disk", "base:allocation")).map(\.type)
                == [.metaContext, .acknowledged]
        )
        #expect(client.option(.go, open("disk")).last?.type == .acknowledged)
        #expect(client.session?.headers == .extended)
        #expect(client.session?.allocationContext == 1)
        #expect(client.session?.flags.contains(.doNotFragment) == true)
    }

    @Test func contextsOfAnotherExportAreForgotten() {
        var exports = disk
        exports["other"] = NBDExportDescription(size: 1, flags: [])
        var client = HandshakeDialogue(exports: exports)
        _ = client.option(.structuredReply)
        _ = client.option(.setMetaContext, contexts("disk", "base:allocation"))
        _ = client.option(.go, open("other"))
        #expect(client.session?.allocationContext == nil)
    }

    @Test(arguments: [
        [], [0, 0], [0, 0, 0, 9, 65], [0, 0, 0, 1, 65, 0, 1], [0, 0, 0, 1, 65, 0, 0, 7], [0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 1, 0xff, 0, 0], [0xff, 0xff, 0xff, 0xff, 65, 0, 0],
        [0, 0, 0x10, 1] + [UInt8](repeating: 65, count: 4099),
    ])
    func malformedGoIsInvalid(data: [UInt8]) {
        var client = HandshakeDialogue(exports: disk)
        #expect(client.option(.go, data).map(\.type) == [.invalid])
        #expect(client.option(.go, open("disk")).last?.type == .acknowledged)
    }

    @Test func longOptionsAreSkippedAndRefused() {
        var client = HandshakeDialogue(exports: disk)
        #expect(client.option(.go, [UInt8](repeating: 0, count: 100_000)).map(\.type) == [.tooBig])
        #expect(client.option(.go, open("disk")).last?.type == .acknowledged)
    }

    @Test func absurdLengthsClose() {
        var client = HandshakeDialogue(exports: disk)
        #expect(client.send(Array("IHAVEOPT".utf8) + [0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff]).isEmpty)
        #expect(client.closed == .some("option 7 with 4294967295 bytes of data"))
    }

    @Test func somethingElseThanNBDCloses() {
        var client = HandshakeDialogue(exports: disk)
        _ = client.send(Array("GET / HTTP/1.1\r\n".utf8))
        #expect(client.closed == .some("not an NBD option"))
        var odd = HandshakeDialogue(exports: disk, flags: nil)
        _ = odd.send(Array("GET / HTTP/1.1\r\n".utf8))
        #expect(odd.closed == .some("client flags 47455420 are unknown"))
    }

    @Test func bytesMayArriveOneByOne() {
        var client = HandshakeDialogue(exports: disk, flags: nil)
        var answer: [UInt8] = []
        for byte in [0, 0, 0, 3] + optionBytes(.go, open("disk")) { answer += client.send([byte]) }
        #expect(answer.count == 20 + 12 + 20)
        #expect(client.session?.exportName == "disk")
    }

    @Test func manyOptionsClose() {
        var client = HandshakeDialogue(exports: disk)
        for _ in 0..<NBDHandshake.maximumOptions { _ = client.option(.structuredReply) }
        #expect(client.closed == nil)
        _ = client.option(.structuredReply)
        #expect(client.closed == .some("more than 1024 options"))
    }
}
