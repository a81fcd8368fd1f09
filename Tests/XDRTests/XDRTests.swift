import Testing
import XDR

/// What `body` writes into room for `capacity` bytes.
func written(_ capacity: Int = 256, _ body: (inout XDRWriter) -> Void) -> (bytes: [UInt8], overflowed: Bool) {
    var memory = [UInt8](repeating: 0xaa, count: capacity)
    return unsafe memory.withUnsafeMutableBytes { buffer in
        var writer = unsafe XDRWriter(unsafely: buffer)
        body(&writer)
        return unsafe (Array(buffer.prefix(writer.count)), writer.overflowed)
    }
}

@Suite("XDR")
struct XDRTests {
    @Test("Opaque data is padded with zeros to four bytes (RFC 4506, section 4.10)", arguments: 0...5)
    func padding(count: Int) throws {
        let data = (0..<count).map { UInt8($0 + 1) }
        let bytes = written { $0.writeOpaque(data) }.bytes
        #expect(bytes == [0, 0, 0, UInt8(count)] + data + [UInt8](repeating: 0, count: xdrPadding(count)))
        var reader = unsafe XDRReader(bytes.span.bytes)
        #expect(try reader.readBytes(limit: 8) == data)
        #expect(reader.remaining == 0)
    }

    @Test("Integers are big endian")
    func integers() throws {
        let bytes = written {
            $0.write(0x0102_0304 as UInt32)
            $0.write(0x1112_1314_1516_1718 as UInt64)
            $0.write(true)
        }.bytes
        #expect(bytes == [1, 2, 3, 4, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0, 0, 0, 1])
    }

    @Test("A boolean is 0 or 1, a length within its limit, and data is there")
    func refusals() {
        let bytes: [UInt8] = [0, 0, 0, 2, 0, 0, 0, 9]
        #expect(throws: XDRError.invalid(offset: 0, value: 2)) {
            var reader = unsafe XDRReader(bytes.span.bytes)
            _ = try reader.readBool()
        }
        #expect(throws: XDRError.tooLong(offset: 0, count: 2, limit: 1)) {
            var reader = unsafe XDRReader(bytes.span.bytes)
            _ = try reader.readBytes(limit: 1)
        }
        #expect(throws: XDRError.truncated(offset: 8)) {
            var reader = unsafe XDRReader(bytes.span.bytes)
            _ = try reader.readUInt32()
            _ = try reader.readBytes(limit: 9)
        }
    }

    @Test("What does not fit is not written, and said")
    func overflow() {
        let result = written(6) {
            $0.write(7 as UInt32)
            $0.write(8 as UInt32)
        }
        #expect(result.bytes == [0, 0, 0, 7])
        #expect(result.overflowed)
    }
}
