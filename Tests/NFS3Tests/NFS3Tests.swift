import NFS3
import Testing
import XDR

@Suite("NFS version 3 on the wire (RFC 1813)")
struct NFS3Tests {
    private func written(_ capacity: Int = 4096, _ body: (inout XDRWriter) -> Void) -> [UInt8] {
        var memory = [UInt8](repeating: 0, count: capacity)
        return unsafe memory.withUnsafeMutableBytes { buffer in
            var writer = unsafe XDRWriter(unsafely: buffer)
            body(&writer)
            return unsafe Array(buffer.prefix(writer.count))
        }
    }

    private func handle(_ bytes: [UInt8]) throws -> NFS3FileHandle {
        try #require(unsafe NFS3FileHandle(bytes.span.bytes))
    }

    @Test("A handle keeps its bytes, whatever their number", arguments: [0, 1, 7, 8, 28, 63, 64])
    func handles(count: Int) throws {
        let bytes = (0..<count).map { UInt8($0 ^ 0x5a) }
        let original = try handle(bytes)
        #expect(original.bytes == bytes)
        let wire = written { original.encode(into: &$0) }
        var reader = unsafe XDRReader(wire.span.bytes)
        #expect(try NFS3FileHandle(decoding: &reader) == original)
        #expect(reader.remaining == 0)
    }

    @Test("A handle of 65 bytes is none")
    func longHandle() {
        #expect(throws: XDRError.tooLong(offset: 0, count: 65, limit: 64)) {
            let wire = written { $0.writeOpaque([UInt8](repeating: 1, count: 65)) }
            var reader = unsafe XDRReader(wire.span.bytes)
            _ = try NFS3FileHandle(decoding: &reader)
        }
    }

    @Test("New attributes come back as they were sent")
    func newAttributes() throws {
        var attributes = NFS3NewAttributes()
        attributes.mode = 0o4755
        attributes.size = 1 << 40
        attributes.accessed = .server
        attributes.modified = .client(NFS3Time(seconds: 5, nanoseconds: 6))
        let wire = written { attributes.encode(into: &$0) }
        var reader = unsafe XDRReader(wire.span.bytes)
        #expect(try NFS3NewAttributes(decoding: &reader) == attributes)
        #expect(reader.remaining == 0)
    }

    @Test("The head of READ's reply has the size that its data is placed by")
    func readHead() {
        let time = NFS3Time(seconds: 1, nanoseconds: 2)
        let attributes = NFS3Attributes(
            type: .regular,
            mode: 0o644,
            links: 1,
            user: 2,
            group: 3,
            size: 4,
            used: 5,
            deviceNumber: 6 << 32 | 7,
            fileSystem: 8,
            file: 9,
            accessed: time,
            modified: time,
            changed: time
        )
        let wire = written { NFS3ReadReply.encode(attributes, count: 4, isAtEnd: true, into: &$0) }
        #expect(wire.count == NFS3ReadReply.headSize)
        #expect(attributes.device == (6, 7))
    }

    @Test("CREATE in its three ways, and no fourth")
    func create() throws {
        let directory = try handle([1, 2, 3, 4])
        func call(_ way: UInt32, _ tail: (inout XDRWriter) -> Void) throws -> NFS3CreateCall {
            let wire = written {
                directory.encode(into: &$0)
                $0.writeOpaque(Array("name".utf8))
                $0.write(way)
                tail(&$0)
            }
            var reader = unsafe XDRReader(wire.span.bytes)
            return try NFS3CreateCall(decoding: &reader)
        }
        #expect(try call(0) { NFS3NewAttributes().encode(into: &$0) }.mode == .unchecked(NFS3NewAttributes()))
        #expect(try call(1) { NFS3NewAttributes().encode(into: &$0) }.mode == .guarded(NFS3NewAttributes()))
        #expect(try call(2) { $0.write(77 as UInt64) }.mode == .exclusive(77))
        #expect(throws: XDRError.self) { try call(3) { $0.write(0 as UInt64) } }
    }

    @Test("A listing holds as many entries as the client has room for", arguments: [false, true])
    func listing(plus: Bool) throws {
        let wire = written {
            try? handle([9]).encode(into: &$0)
            for value in [0, 0] as [UInt64] { $0.write(value) }
            $0.write(512 as UInt32)
            if plus { $0.write(1024 as UInt32) }
        }
        var reader = unsafe XDRReader(wire.span.bytes)
        let call = try NFS3ReadDirectoryCall(decoding: &reader, plus: plus)
        let name = Array("abcde".utf8)
        let reply = written {
            var listing = NFS3DirectoryListing(call, plus: plus, directory: nil, maximum: 65536, into: &$0)
            for file in 0..<1000 as Range<UInt64> where !listing.isFull(nameLength: 5, handleLength: 28, $0) {
                unsafe listing.append(
                    file: file,
                    name: name.span.bytes,
                    cookie: file + 1,
                    attributes: nil,
                    handle: nil,
                    into: &$0
                )
            }
            listing.finish(isAtEnd: false, into: &$0)
            #expect(listing.entries == (plus ? 16 : 15))
        }
        #expect(reply.count <= (plus ? 1024 : 512))
    }

    @Test("A failure tells as many absent optionals as its procedure has")
    func failures() {
        #expect(NFS3Procedure.getAttributes.failureWords == 0)
        #expect(NFS3Procedure.lookup.failureWords == 1)
        #expect(NFS3Procedure.write.failureWords == 2)
        #expect(NFS3Procedure.link.failureWords == 3)
        #expect(NFS3Procedure.rename.failureWords == 4)
        #expect(NFS3Procedure.allCases.count == 22)
    }
}
