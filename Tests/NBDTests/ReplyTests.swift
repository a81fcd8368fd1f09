import NBD
import Testing

@Suite struct ReplyTests {
    private let structured = NBDReplyChunk(extended: false)

    @Test func simpleReply() {
        var bytes = [UInt8](repeating: 0xee, count: 16)
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        NBDSimpleReply.encode(cookie: 0x0102_0304_0506_0708, error: .noSpace, into: &raw)
        #expect(bytes == [0x67, 0x44, 0x66, 0x98] + [0, 0, 0, 28] + [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test func dataChunk() {
        var bytes = [UInt8](repeating: 0xee, count: 28)
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        let request = NBDRequest(.read, cookie: 7, offset: 0x1000, length: 512)
        structured.encodeData(to: request, into: &raw)
        let header: [UInt8] = [0x66, 0x8e, 0x33, 0xef] + [0, 1] + [0, 1] + [0, 0, 0, 0, 0, 0, 0, 7]
        #expect(bytes == header + [0, 0, 2, 8] + [0, 0, 0, 0, 0, 0, 0x10, 0])
    }

    @Test func errorChunk() {
        #expect(
            structured.error(.invalid, to: NBDRequest(.read, cookie: 7), reason: "no")
                == [0x66, 0x8e, 0x33, 0xef] + [0, 1] + [0x80, 1] + [0, 0, 0, 0, 0, 0, 0, 7] + [0, 0, 0, 8]
                + [0, 0, 0, 22] + [0, 2] + Array("no".utf8)
        )
    }

    @Test func blockStatusChunk() {
        let chunk = structured.blockStatus(
            context: 1,
            to: NBDRequest(.blockStatus, cookie: 7),
            extents: [(length: 4096, state: []), (length: 8192, state: [.hole, .zero])]
        )
        #expect(
            chunk
                == [0x66, 0x8e, 0x33, 0xef] + [0, 1] + [0, 5] + [0, 0, 0, 0, 0, 0, 0, 7] + [0, 0, 0, 20]
                + [0, 0, 0, 1] + [0, 0, 0x10, 0] + [0, 0, 0, 0] + [0, 0, 0x20, 0] + [0, 0, 0, 3]
        )
    }

    @Test func extendedChunksRepeatTheOffset() {
        let extended = NBDReplyChunk(extended: true)
        let request = NBDRequest(.read, cookie: 7, offset: 0x1000, length: 512)
        let head: [UInt8] =
            [0, 0, 0, 0, 0, 0, 0, 7] + [0, 0, 0, 0, 0, 0, 0x10, 0] + [0, 0, 0, 0, 0, 0]
        var bytes = [UInt8](repeating: 0xee, count: 40)
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        extended.encodeData(to: request, into: &raw)
        #expect(bytes == [0x6e, 0x8a, 0x27, 0x8c] + [0, 1] + [0, 1] + head + [2, 8] + [0, 0, 0, 0, 0, 0, 0x10, 0])
        #expect(extended.done(request) == [0x6e, 0x8a, 0x27, 0x8c] + [0, 1] + [0, 0] + head + [0, 0])
        #expect(
            extended.blockStatus(context: 1, to: request, extents: [(length: 1 << 36, state: [.hole, .zero])])
                == [0x6e, 0x8a, 0x27, 0x8c] + [0, 1] + [0, 6] + head + [0, 24] + [0, 0, 0, 1] + [0, 0, 0, 1]
                + [0, 0, 0, 0x10, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 3]
        )
    }

    /// What a structured chunk cannot say of an extent must not move those behind it.
    @Test func aLongExtentEndsAStructuredChunk() {
        let chunk = structured.blockStatus(
            context: 1,
            to: NBDRequest(.blockStatus, cookie: 7),
            extents: [(length: 1 << 33, state: [.hole]), (length: 4096, state: [])]
        )
        #expect(chunk.suffix(12) == [0, 0, 0, 1] + [0xff, 0xff, 0xff, 0xff] + [0, 0, 0, 1])
    }

    @Test func errnoHasItsNearestCode() {
        #expect(NBDErrorCode(errno: 28) == .noSpace)
        #expect(NBDErrorCode(errno: 122) == .noSpace)
        #expect(NBDErrorCode(errno: 30) == .notPermitted)
        #expect(NBDErrorCode(errno: 74) == .inputOutput)
    }
}
