import ByteCoding
import Testing

@Suite struct ByteReaderTests {
    @Test func readsFieldsInNetworkOrder() throws {
        let bytes: [UInt8] = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f]
        var reader = ByteReader(bytes.span)
        #expect(try reader.readUInt8() == 0x01)
        #expect(try reader.readUInt16() == 0x0203)
        #expect(try reader.readUInt32() == 0x0405_0607)
        #expect(try reader.readUInt64() == 0x0809_0a0b_0c0d_0e0f)
        let isAtEnd = reader.isAtEnd
        #expect(isAtEnd)
    }

    @Test func namesWhereTheBytesEnd() throws {
        let bytes: [UInt8] = [0xaa, 0xbb, 0xcc]
        var reader = ByteReader(bytes.span)
        try reader.skip(1)
        var failure: ByteReaderError?
        do { _ = try reader.readUInt32() } catch { failure = error }
        #expect(failure == ByteReaderError(offset: 1, wanted: 4, available: 2))
        // A failed read moves nothing.
        #expect(try reader.readUInt16() == 0xbbcc)
    }

    @Test func refusesANegativeCount() {
        let bytes: [UInt8] = [1]
        var reader = ByteReader(bytes.span)
        var failed = false
        do { try reader.skip(-1) } catch { failed = true }
        #expect(failed)
    }

    @Test func writerAndReaderAgree() throws {
        var writer = ByteWriter(capacity: 32)
        writer.writeUInt16(0x1234)
        writer.writeLittleEndianUInt32(0x1234_5678)
        writer.writeText("abc")
        writer.pad(toMultipleOf: 4)
        writer.replaceUInt16(at: 0, with: 0xbeef)
        #expect(writer.bytes == [0xbe, 0xef, 0x78, 0x56, 0x34, 0x12, 0x61, 0x62, 0x63, 0, 0, 0])
        var reader = ByteReader(writer.bytes.span)
        #expect(try reader.readUInt16() == 0xbeef)
        #expect(try reader.readLittleEndianUInt32() == 0x1234_5678)
        #expect(try reader.readBytes(3) == Array("abc".utf8))
        #expect(reader.readRemainingBytes() == [0, 0, 0])
    }
}
