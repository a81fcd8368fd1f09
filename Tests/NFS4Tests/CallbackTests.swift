import NFS4
import ONCRPC
import Testing
import XDR

@Suite("NFS version 4: calls to clients and their answers")
struct CallbackTests {
    private func written(_ body: (inout XDRWriter) -> Void) -> [UInt8] {
        var memory = [UInt8](repeating: 0xa5, count: 4096)
        let count = unsafe memory.withUnsafeMutableBytes { room in
            var writer = unsafe XDRWriter(unsafely: room)
            body(&writer)
            return writer.count
        }
        return Array(memory[..<count])
    }

    private func bytes(_ words: [UInt32]) -> [UInt8] { written { for word in words { $0.write(word) } } }

    private func attributes(_ words: [UInt32]) -> NFS4HeldAttributes? {
        unsafe NFS4Callback.attributes(of: bytes(words).span.bytes)
    }

    /// The xid, REPLY, MSG_ACCEPTED, AUTH_NONE, SUCCESS.
    private let head: [UInt32] = [77, 1, 0, 0, 0, 0]
    /// CB_SEQUENCE, OK, session, sequence, slot, highest, target.
    private let sequence: [UInt32] = [11, 0, 1, 2, 3, 4, 5, 0, 0, 0]
    /// CB_GETATTR, OK, change and size, 16 bytes.
    private let getAttributes: [UInt32] = [3, 0, 1, 0x18, 16, 0, 701, 0, 12]

    @Test("The question of a session and of version 4.0, as RFC 8881 writes it")
    func question() {
        let inquiry = NFS4Inquiry(
            client: 9,
            stateid: NFS4Stateid(sequence: 1, epoch: 2, number: 3),
            file: NFS4FileKey(export: 1, file: 2),
            handle: [0xde, 0xad, 0xbe],
            asksTimes: false,
            number: 5,
            deadline: 6
        )
        let plain = written { NFS4Callback.inquire(inquiry, identifier: 8, session: nil, into: &$0) }
        // The empty tag, minor version, identifier, one operation
        let old: [UInt32] = [0, 0, 8, 1]
        // CB_GETATTR, the handle, a bitmap of one word: change and size
        let operation: [UInt32] = [3, 3, 0xdead_be00, 1, 0x18]
        #expect(plain == bytes(old + operation))
        let call = NFS4State.BackCall(
            session: NFS4SessionID(client: 1 << 32 | 2, number: 3 << 32 | 4),
            connection: 1,
            sequence: 6,
            program: 7,
            security: NFS4CallbackSecurity(),
            minor: 2
        )
        var timed = inquiry
        timed.asksTimes = true
        let session = written { NFS4Callback.inquire(timed, identifier: 0, session: call, into: &$0) }
        // CB_SEQUENCE: session, sequence, slot, highest slot, not to be kept, no referring calls
        let new: [UInt32] = [0, 2, 0, 2, 11, 1, 2, 3, 4, 6, 0, 0, 0, 0]
        // Three words: change and size, none, time_deleg_access and time_deleg_modify
        #expect(session == bytes(new + [3, 3, 0xdead_be00, 3, 0x18, 0, 0x30_0000]))
    }

    @Test("An answer is read with and without a session, and with times")
    func answers() {
        let expected = NFS4HeldAttributes(change: 701, size: 12)
        #expect(attributes(head + [0, 0, 2] + sequence + getAttributes) == expected)
        #expect(attributes(head + [0, 0, 1] + getAttributes) == expected)
        // A tag of two bytes.
        #expect(attributes(head + [0, 2, 0x6869_0000, 1] + getAttributes) == expected)
        let times: [UInt32] = [3, 0, 3, 0x18, 0, 0x30_0000, 40, 1, 2, 0, 12, 0, 1000, 5, 0xffff_ffff, 0xffff_ffff, 6]
        #expect(
            attributes(head + [0, 0, 1] + times)
                == NFS4HeldAttributes(
                    change: 1 << 32 | 2,
                    size: 12,
                    accessed: NFS4Time(seconds: 1000, nanoseconds: 5),
                    modified: NFS4Time(seconds: -1, nanoseconds: 6)
                )
        )
    }

    @Test(
        "What is no answer is none",
        arguments: [
            // Refused, not understood, or for a call.
            [77, 1, 1, 0, 0, 0], [77, 1, 0, 0, 0, 1], [77, 0, 0, 0, 0, 0],
            // BADHANDLE, without results and with them.
            [77, 1, 0, 0, 0, 0, 10001, 0, 1, 3, 10001], [77, 1, 0, 0, 0, 0, 0, 0, 1, 3, 10001],
            // No results, or too many.
            [77, 1, 0, 0, 0, 0, 0, 0, 0], [77, 1, 0, 0, 0, 0, 0, 0, 3],
            // CB_RECALL, or CB_SEQUENCE alone.
            [77, 1, 0, 0, 0, 0, 0, 0, 1, 4, 0], [77, 1, 0, 0, 0, 0, 0, 0, 1, 11, 0, 1, 2, 3, 4, 5, 0, 0, 0],
            // The size is missing; the mode is there too; a length of 12; one word short.
            [77, 1, 0, 0, 0, 0, 0, 0, 1, 3, 0, 1, 0x8, 8, 0, 701],
            [77, 1, 0, 0, 0, 0, 0, 0, 1, 3, 0, 2, 0x18, 2, 20, 0, 701, 0, 12, 0o644],
            [77, 1, 0, 0, 0, 0, 0, 0, 1, 3, 0, 1, 0x18, 12, 0, 701, 0, 12],
            [77, 1, 0, 0, 0, 0, 0, 0, 1, 3, 0, 1, 0x18, 16, 0, 701, 0],
            // A size that no file has; something behind.
            [77, 1, 0, 0, 0, 0, 0, 0, 1, 3, 0, 1, 0x18, 16, 0, 701, 0x8000_0000, 0],
            [77, 1, 0, 0, 0, 0, 0, 0, 1, 3, 0, 1, 0x18, 16, 0, 701, 0, 12, 1],
            // A second has no such nanosecond.
            [77, 1, 0, 0, 0, 0, 0, 0, 1, 3, 0, 3, 0x18, 0, 0x10_0000, 28, 0, 701, 0, 12, 0, 1, 1_000_000_000],
        ] as [[UInt32]]
    )
    func nonsense(words: [UInt32]) { #expect(attributes(words) == nil) }

    @Test("No cut answer is read")
    func cutAnswers() {
        let whole = bytes(head + [0, 0, 2] + sequence + getAttributes)
        for count in whole.indices {
            let cut = Array(whole[..<count])
            #expect(unsafe NFS4Callback.attributes(of: cut.span.bytes) == nil)
        }
    }

    @Test("What a holder says reads back as it was written")
    func held() throws {
        for accessed in [nil, NFS4Time(seconds: 5, nanoseconds: 6)] {
            for modified in [nil, NFS4Time(seconds: -7, nanoseconds: 999_999_999)] {
                let held = NFS4HeldAttributes(change: .max, size: 1 << 62, accessed: accessed, modified: modified)
                let wire = written { held.encode(into: &$0) }
                var reader = unsafe XDRReader(wire.span.bytes)
                #expect(try NFS4HeldAttributes(decoding: &reader) == held)
                #expect(reader.remaining == 0)
            }
        }
    }

    @Test("A file has changed at its holder when its number is a new one, or its size another")
    func merge() {
        var own = Bench.attributes(.regular, mode: 0o644)
        own.change = 800
        own.size = 12
        own.modified.seconds = 10
        own.changed.seconds = 10
        #expect(!NFS4HeldAttributes(change: 700, size: 12).isModified(since: 700, own))
        #expect(NFS4HeldAttributes(change: 701, size: 12).isModified(since: 700, own))
        // It was told the newest number since.
        #expect(!NFS4HeldAttributes(change: 800, size: 12).isModified(since: 700, own))
        // The server's own file is longer than what its holder has.
        own.size = 4096
        #expect(NFS4HeldAttributes(change: 700, size: 12).isModified(since: 700, own))
    }

    @Test("A time that its holder kept goes neither back nor beyond now")
    func times() {
        func time(_ seconds: Int64) -> NFS4Time { NFS4Time(seconds: seconds, nanoseconds: 5) }
        func told(_ modified: Int64?) -> NFS4Time? {
            NFS4HeldAttributes(change: 1, size: 1, modified: modified.map { time($0) })
                .modified(after: time(10), now: time(20))
        }
        #expect(told(15) == time(15))
        #expect(told(9) == time(10))
        #expect(told(20) == time(20))
        #expect(told(21) == nil)
        #expect(told(nil) == nil)
    }

    @Test("open_arguments says what OPEN understands")
    func openArguments() {
        let attributes = Bench.attributes(.directory, mode: 0o755)
        var wanted = NFS4Bitmap()
        wanted.insert(.openArguments)
        for minor in 0...2 as ClosedRange<UInt32> {
            let server = NFS4Attributes.Server(minor: minor, lease: 60, largestRead: 1, largestWrite: 1)
            let wire = written { attributes.encode(wanted, server, into: &$0) }
            // READ, WRITE, BOTH; four ways to deny; ANY, NO, CANCEL, TIMESTAMPS; five claims; four modes
            let sets: [UInt32] = [1, 0b1110, 1, 0b1111, 1, 0x10_0038, 1, 0b11_0111, 1, 0b1111]
            #expect(wire == bytes(minor == 0 ? [0, 0] : [3, 0, 0, 1 << 22, 40] + sets))
        }
    }

    @Test("Times that a holder kept are read in their place, and refused with a wrong nanosecond")
    func delegatedTimes() throws {
        let wire = bytes([3, 0, 0, 0x30_0000, 24, 0, 1000, 5, 0, 2000, 6])
        var reader = unsafe XDRReader(wire.span.bytes)
        let new = try NFS4NewAttributes(decoding: &reader, minor: 1)
        #expect(new.delegatedAccess == NFS4Time(seconds: 1000, nanoseconds: 5))
        #expect(new.delegatedModify == NFS4Time(seconds: 2000, nanoseconds: 6))
        var old = unsafe XDRReader(wire.span.bytes)
        #expect(throws: NFS4NewAttributes.Refused.self) { try NFS4NewAttributes(decoding: &old, minor: 0) }
        let wrong = bytes([3, 0, 0, 0x20_0000, 12, 0, 1000, 1_000_000_000])
        var second = unsafe XDRReader(wrong.span.bytes)
        #expect(throws: NFS4NewAttributes.Refused.self) { try NFS4NewAttributes(decoding: &second, minor: 2) }
    }
}
