import DNS
import NetworkTypes
import Testing

func name(_ text: String) -> DNSName { DNSName(text) ?? .root }

@Suite("DNS messages")
struct DNSMessageTests {
    /// A query and the answer to it as BIND's dig and a public resolver write them, split by field.
    private static let query: [UInt8] = [
        0x1a, 0x2b,  // id
        0x01, 0x20,  // RD, AD
        0, 1, 0, 0, 0, 0, 0, 1,  // one question, one additional
        5, 0x6e, 0x6f, 0x64, 0x65, 0x31, 3, 0x6c, 0x61, 0x62, 0,  // node1.lab.
        0, 1, 0, 1,  // A IN
        0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 4, 0, 10, 0, 0,  // OPT 1232, DO, an empty cookie
    ]

    @Test func readsAQueryWithEDNS() throws {
        let message = try DNSMessage(Self.query.span)
        #expect(message.id == 0x1a2b)
        #expect(message.wantsRecursion && message.isAuthentic && !message.isResponse)
        #expect(message.questions == [DNSQuestion(name("NODE1.lab"), .a)])
        #expect(message.extended?.payloadSize == 1232)
        #expect(message.extended?.wantsSignatures == true)
        #expect(message.extended?.options == [0, 10, 0, 0])
        #expect(message.encoded() == Self.query)
    }

    @Test func readsNamesThatPointBack() throws {
        let bytes: [UInt8] = [
            0, 7, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0,
            3, 0x77, 0x77, 0x77, 1, 0x61, 2, 0x62, 0x63, 0,  // www.a.bc.
            0, 1, 0, 1,
            0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, 0x78, 0xc0, 16,  // CNAME x.a.bc.
            0xc0, 38, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 1,  // A of it
        ]
        let message = try DNSMessage(bytes.span)
        #expect(message.answers.count == 2)
        #expect(message.answers[0].data == .alias(name("x.a.bc")))
        #expect(message.answers[1].name == name("x.a.bc"))
        #expect(message.encoded() == bytes)
    }

    @Test func keepsEveryKindOfRecord() throws {
        let owner = name("Node1.lab.example")
        let address6 = try #require(IPv6Address(bytes: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]))
        let start = StartOfAuthority(
            server: name("ns.lab.example"),
            mailbox: name("hostmaster.lab.example"),
            serial: 7,
            refresh: 1,
            retry: 2,
            expire: 3,
            negativeTTL: 4
        )
        let records = [
            DNSRecord(owner, ttl: 60, .address(IPv4Address(10, 0, 0, 1))),
            DNSRecord(owner, ttl: 61, .address6(address6)),
            DNSRecord(name("1.0.0.10.in-addr.arpa"), ttl: 62, .pointer(owner)),
            DNSRecord(name("lab.example"), ttl: 63, .nameServer(name("ns.lab.example"))),
            DNSRecord(name("lab.example"), ttl: 64, .startOfAuthority(start)),
            DNSRecord(owner, ttl: 65, .text([Array("a".utf8), [], [0xff]])),
            DNSRecord(
                owner,
                ttl: 66,
                .hostKey(HostKeyFingerprint(algorithm: 4, digestType: 2, digest: Array(1...32)))
            ),
            DNSRecord(name: owner, type: RecordType(rawValue: 65_280), ttl: 67, data: .other([1, 2, 3])),
            DNSRecord(
                name: owner,
                type: RecordType(rawValue: 1),
                recordClass: RecordClass(rawValue: 254),
                ttl: 0,
                data: .other([])
            ),
        ]
        var message = DNSMessage(id: 9, questions: [DNSQuestion(owner, .any)], answers: records)
        message.isResponse = true
        let bytes = message.encoded()
        #expect(try DNSMessage(bytes.span) == message)
        #expect(address6.description == "2001:db8::1")
        // lab.example stands in it once.
        let spelled = Array("example".utf8)
        let occurrences = bytes.indices.count { bytes[$0...].starts(with: spelled) }
        #expect(occurrences == 1)
    }

    @Test func writesNamesInsideOtherRecordsOut() throws {
        // RFC 3597 §4: data of MX may point back; kept bytes must not depend on their place.
        let bytes: [UInt8] = [
            0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0x61, 0, 0, 15, 0, 1,
            0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 9, 0, 6, 0, 10, 1, 0x6d, 0xc0, 12,
        ]
        #expect(try DNSMessage(bytes.span).answers[0].data == .other([0, 10, 1, 0x6d, 1, 0x61, 0]))
    }

    @Test(
        arguments: [
            ("nothing", []),
            ("half a header", [0, 1, 1]),
            ("a question that is not there", [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
            ("a name that points to itself", [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]),
            ("a name that points into the header", [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 4, 0, 1, 0, 1]),
            ("a label of unknown kind", [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x41, 12, 0, 0, 1, 0, 1]),
            ("bytes at the end", [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0xaa]),
            (
                "two OPT records",
                [
                    0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 41, 2, 0, 0, 0, 0, 0, 0,
                    0,
                ]
            ),
            (
                "an address of three bytes",
                [
                    0, 1, 0x81, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 3, 10, 0, 0,
                ]
            ),
            (
                "a length that runs past the end",
                [
                    0, 1, 0x81, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 99, 0, 1, 0, 0, 0, 9, 0xff, 0xff, 10,
                ]
            ),
        ] as [(String, [UInt8])]
    )
    func refuses(what: String, bytes: [UInt8]) {
        #expect(throws: DNSDecodingError.self, "\(what)") { try DNSMessage(bytes.span) }
    }

    @Test func aNameOf256BytesIsRefused() {
        var bytes: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        for _ in 0..<4 { bytes += [63] + [UInt8](repeating: 0x61, count: 63) }
        bytes += [0, 0, 1, 0, 1]
        #expect(throws: DNSDecodingError.self) { try DNSMessage(bytes.span) }
        #expect(DNSName(labels: (0..<4).map { _ in [UInt8](repeating: 0x61, count: 63) }) == nil)
    }

    @Test func cutsWhatDoesNotFit() throws {
        let owner = name("many.lab.example")
        var message = DNSMessage(
            id: 1,
            questions: [DNSQuestion(owner, .a)],
            answers: (0..<100).map { DNSRecord(owner, ttl: 5, .address(IPv4Address(value: $0))) },
            extended: ExtendedOptions(payloadSize: 1232)
        )
        message.isResponse = true
        let bytes = message.encoded(limit: 512)
        let cut = try DNSMessage(bytes.span)
        #expect(bytes.count <= 512 && bytes.count > 480)
        #expect(cut.isTruncated && cut.extended != nil && cut.answers.count < 100)
        #expect(try !DNSMessage(message.encoded().span).isTruncated)
    }

    @Test func everyMutationIsReadOrRefused() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = Self.query
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator) / 4)
            guard let message = try? DNSMessage(bytes.span) else { continue }
            #expect((try? DNSMessage(message.encoded().span)) == message)
        }
    }
}

@Suite("Domain names")
struct DNSNameTests {
    @Test(arguments: [
        ("lab.example", "lab.example."), (".", "."), ("a\\.b.c.", "a\\.b.c."), ("\\001x", "\\001x."), ("A.b", "A.b."),
    ])
    func textIsReadAndWritten(text: String, written: String) {
        #expect(DNSName(text)?.description == written)
    }

    @Test(arguments: ["", "a..b", ".a", "\\25", String(repeating: "a", count: 64)])
    func malformedTextIsRefused(text: String) { #expect(DNSName(text) == nil) }

    @Test func caseDoesNotMatter() {
        #expect(name("Node1.LAB") == name("node1.lab"))
        #expect(name("Node1.LAB").hashValue == name("node1.lab").hashValue)
        #expect(name("a.node1.LAB").isWithin(name("node1.lab")))
        #expect(!name("xnode1.lab").isWithin(name("node1.lab")))
        #expect(!name("lab").isWithin(name("node1.lab")))
        #expect(name("lab").isWithin(.root))
    }

    @Test func reverseNames() {
        let address = IPv4Address(10, 1, 2, 3)
        #expect(DNSName(reverseOf: address).description == "3.2.1.10.in-addr.arpa.")
        #expect(DNSName(reverseOf: address).reversedAddress == address)
        #expect(name("x.2.1.10.in-addr.arpa").reversedAddress == nil)
    }
}
