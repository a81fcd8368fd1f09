import NBD
import Testing

@Suite struct RequestTests {
    @Test func decodesEveryField() throws {
        let bytes: [UInt8] =
            [0x25, 0x60, 0x95, 0x13] + [0x00, 0x01] + [0x00, 0x01] + [1, 2, 3, 4, 5, 6, 7, 8]
            + [0, 0, 0, 1, 0, 0, 0x10, 0] + [0, 0, 0x20, 0] + [0xaa]
        let request = try NBDRequest(decoding: bytes.span)
        #expect(
            request
                == NBDRequest(
                    .write,
                    flags: .forceUnitAccess,
                    cookie: 0x0102_0304_0506_0708,
                    offset: 0x1_0000_1000,
                    length: 8192
                )
        )
        #expect(request.payloadLength == 8192)
        #expect(request.encoded == Array(bytes.dropLast()))
    }

    @Test func namesWhatCannotBeRead() {
        var bytes = NBDRequest(.read, cookie: 1).encoded
        #expect(throws: NBDRequestError.truncated) { try NBDRequest(decoding: Array(bytes.dropLast()).span) }
        bytes[3] ^= 1
        #expect(throws: NBDRequestError.badMagic) { try NBDRequest(decoding: bytes.span) }
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var request: NBDRequest
        var expected: NBDErrorCode
        var testDescription: String { "\(request.command.rawValue) \(request.offset)+\(request.length) \(expected)" }

        init(
            _ command: NBDCommand,
            _ offset: UInt64,
            _ length: UInt64,
            _ expected: NBDErrorCode,
            flags: NBDCommandFlags = []
        ) {
            request = NBDRequest(command, flags: flags, cookie: 9, offset: offset, length: length)
            self.expected = expected
        }
    }

    @Test(arguments: [
        Case(.read, 0, 1, .none), Case(.read, 99 << 20, 1 << 20, .none), Case(.read, 0, 0, .invalid),
        Case(.read, 100 << 20, 1, .invalid), Case(.read, (100 << 20) - 1, 2, .invalid),
        Case(.read, .max, 1, .invalid), Case(.read, .max, .max, .invalid), Case(.read, 0, 32 << 20, .none),
        Case(.read, 0, (32 << 20) + 1, .invalid), Case(.read, 0, 1, .invalid, flags: .noHole),
        Case(.read, 0, 1, .invalid, flags: .doNotFragment), Case(.read, 0, 1, .none, flags: .forceUnitAccess),
        Case(.write, 0, 1, .none), Case(.write, 0, 1, .none, flags: .forceUnitAccess), Case(.write, 0, 0, .invalid),
        Case(.write, 100 << 20, 1, .noSpace), Case(.write, .max, .max, .invalid), Case(.write, .max, 2, .noSpace),
        Case(.write, 0, (32 << 20) + 1, .invalid), Case(.write, 0, 1, .invalid, flags: .oneExtent),
        Case(.trim, 0, 100 << 20, .none), Case(.trim, 1, 100 << 20, .invalid), Case(.trim, 0, 0, .invalid),
        Case(.writeZeroes, 0, 100 << 20, .none, flags: .noHole), Case(.writeZeroes, 1, 100 << 20, .noSpace),
        Case(.flush, 0, 0, .none), Case(.flush, 1, 0, .invalid), Case(.flush, 0, 0, .invalid, flags: .forceUnitAccess),
        Case(.blockStatus, 0, 1, .invalid), Case(.cache, 0, 1, .invalid),
        Case(NBDCommand(rawValue: 77), 0, 1, .invalid),
    ])
    func judgesRequests(item: Case) {
        let session = NBDSession(
            exportName: "",
            size: 100 << 20,
            flags: [.hasFlags, .flush, .forceUnitAccess, .trim, .writeZeroes]
        )
        #expect((session.refusal(of: item.request)?.code ?? .none) == item.expected)
    }

    @Test func aReadOnlyExportRefusesEveryChange() {
        let session = NBDSession(exportName: "", size: 4096, flags: [.hasFlags, .readOnly])
        for command in [NBDCommand.write, .trim, .writeZeroes] {
            #expect(session.refusal(of: NBDRequest(command, cookie: 0, length: 1))?.code == .notPermitted)
        }
        #expect(session.refusal(of: NBDRequest(.flush, cookie: 0))?.code == .invalid)
    }

    @Test(arguments: [
        Case(.resize, 100 << 20, 0, .none), Case(.resize, 1 << 40, 0, .none), Case(.resize, 1 << 40, 512, .none),
        Case(.resize, UInt64(Int64.max), 0, .none), Case(.resize, 1 << 63, 0, .noSpace),
        Case(.resize, .max, 0, .noSpace),
        Case(.resize, (100 << 20) - 1, 0, .notPermitted), Case(.resize, 0, 0, .notPermitted),
        Case(.resize, 1 << 40, 0, .invalid, flags: .forceUnitAccess),
    ])
    func judgesAnotherSize(item: Case) {
        var session = NBDSession(exportName: "", size: 100 << 20, flags: [.hasFlags, .forceUnitAccess, .resize])
        #expect((session.refusal(of: item.request)?.code ?? .none) == item.expected)
        session.flags.remove(.resize)
        #expect(session.refusal(of: item.request)?.code == .invalid, "not announced")
    }

    @Test func theSizeIsWhereOthersHaveTheOffset() {
        let bytes: [UInt8] =
            [0x25, 0x60, 0x95, 0x13] + [0, 0] + [0, 8] + [0, 0, 0, 0, 0, 0, 0, 7] + [0, 0, 1, 0, 0, 0, 0, 0] + [
                0, 0, 0, 0,
            ]
        #expect(NBDRequest(.resize, cookie: 7, offset: 1 << 40).encoded == bytes)
        #expect(NBDTransmissionFlags.resize.rawValue == 0x200)
    }

    @Test func structuredSessionsAllowMore() {
        let session = NBDSession(
            exportName: "",
            size: 4096,
            flags: [.hasFlags, .doNotFragment],
            headers: .structured,
            allocationContext: 1
        )
        #expect(session.refusal(of: NBDRequest(.read, flags: .doNotFragment, cookie: 0, length: 1)) == nil)
        #expect(session.refusal(of: NBDRequest(.blockStatus, flags: .oneExtent, cookie: 0, length: 4096)) == nil)
        #expect(session.refusal(of: NBDRequest(.blockStatus, cookie: 0, length: 4097))?.code == .invalid)
    }

    @Test func extendedHeadersCarryLengthsOf64Bits() throws {
        let session = NBDSession(
            exportName: "",
            size: 1 << 40,
            flags: [.hasFlags, .trim, .writeZeroes],
            headers: .extended,
            allocationContext: 1
        )
        var trim = NBDRequest(.trim, cookie: 7, offset: 4096, length: 1 << 36)
        let bytes: [UInt8] =
            [0x21, 0xe4, 0x1c, 0x71] + [0, 0] + [0, 4] + [0, 0, 0, 0, 0, 0, 0, 7] + [0, 0, 0, 0, 0, 0, 0x10, 0]
            + [0, 0, 0, 0x10, 0, 0, 0, 0]
        #expect(trim.extendedHeader == bytes)
        #expect(try NBDRequest(decoding: bytes.span, extended: true) == trim)
        #expect(session.refusal(of: trim) == nil)
        #expect(session.refusal(of: NBDRequest(.blockStatus, cookie: 0, length: 1 << 40)) == nil)
        #expect(session.refusal(of: NBDRequest(.read, cookie: 0, length: 1 << 33))?.code == .invalid)
        #expect(session.refusal(of: NBDRequest(.trim, cookie: 0, offset: 1, length: .max))?.code == .invalid)
        // Data with a command that takes none is read and refused; a write says that data follow.
        trim.hasPayload = true
        #expect(trim.payloadLength == 1 << 36)
        #expect(session.refusal(of: trim)?.code == .invalid)
        var write = NBDRequest(.write, cookie: 0, length: 512)
        #expect(write.extendedHeader[5] == 1 << 5)
        #expect(session.refusal(of: write) == nil)
        write.hasPayload = false
        #expect(session.refusal(of: write)?.code == .invalid)
    }
}
