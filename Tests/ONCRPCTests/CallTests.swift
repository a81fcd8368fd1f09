import ONCRPC
import Testing
import XDR

@Suite("Remote calls")
struct CallTests {
    /// Words in network byte order.
    private func words(_ values: UInt32...) -> [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    }

    private func decode(_ bytes: [UInt8]) throws(RPCCallError) -> (call: RPCCall, arguments: Int) {
        var reader = unsafe XDRReader(bytes.span.bytes)
        let call = try RPCCall(decoding: &reader)
        return (call, reader.offset)
    }

    @Test("The head says what is called and where the credential is")
    func head() throws {
        let bytes = words(77, 0, 2, 100_003, 3, 1, 1, 24, 5, 0, 10, 20, 1, 30, 0, 0, 99)
        let (call, arguments) = try decode(bytes)
        #expect(call.xid == 77 && call.program == 100_003 && call.version == 3 && call.procedure == 1)
        #expect(call.flavor == .sys && call.credential == 32..<56)
        #expect(arguments == bytes.count - 4)
        let credential = unsafe try RPCSystemCredential(decoding: bytes.span.bytes.extracting(call.credential))
        #expect(credential == RPCSystemCredential(stamp: 5, user: 10, group: 20, groups: [30]))
    }

    @Test("Replies, other RPC versions and credentials without end are refused each in its way")
    func refusals() {
        #expect(throws: RPCCallError.noCall) { try decode(words(1, 1, 0)) }
        #expect(throws: RPCCallError.noCall) { try decode(words(1)) }
        #expect(throws: RPCCallError.wrongProtocolVersion(xid: 1)) { try decode(words(1, 0, 3, 0)) }
        #expect(throws: RPCCallError.badAuth(xid: 1)) { try decode(words(1, 0, 2, 3, 4, 5, 1, 401)) }
    }

    @Test("A credential names at most 16 groups and holds nothing behind them")
    func credential() {
        #expect(throws: XDRError.self) {
            unsafe try RPCSystemCredential(decoding: words(0, 0, 1, 1, 17).span.bytes)
        }
        #expect(throws: XDRError.self) {
            unsafe try RPCSystemCredential(decoding: words(0, 0, 1, 1, 0, 9).span.bytes)
        }
    }

    @Test("Replies have the form of section 9")
    func replies() {
        var memory = [UInt8](repeating: 0, count: 128)
        let count = unsafe memory.withUnsafeMutableBytes { buffer in
            var writer = unsafe XDRWriter(unsafely: buffer)
            RPCReply.encodeVersionMismatch(xid: 9, 3...4, into: &writer)
            RPCReply.encodeProtocolMismatch(xid: 8, into: &writer)
            RPCReply.encodeAuthError(xid: 7, .badCredential, into: &writer)
            return writer.count
        }
        #expect(
            Array(memory[..<count])
                == words(9, 1, 0, 0, 0, 2, 3, 4) + words(8, 1, 1, 0, 2, 2) + words(7, 1, 1, 1, 1)
        )
    }
}
