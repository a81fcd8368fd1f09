import TFTP
import Testing

@Suite struct TFTPPacketTests {
    /// What OVMF 2022.11 sends to learn a file's size, split by field.
    @Test func readsTheRequestOfUEFIFirmware() throws {
        let bytes: [UInt8] =
            [0, 1] + Array("ipxe.efi\0octet\0tsize\0".utf8) + Array("0\0blksize\01468\0windowsize\04\0".utf8)
        let packet = try TFTPPacket(bytes.span)
        #expect(
            packet
                == .readRequest(
                    TFTPRequest(
                        fileName: Array("ipxe.efi".utf8),
                        options: [.init(.transferSize, "0"), .init(.blockSize, "1468"), .init(.windowSize, "4")]
                    )
                )
        )
        #expect(packet.encoded == bytes)
    }

    @Test func namesOfModesAndOptionsIgnoreCase() throws {
        let bytes: [UInt8] = [0, 1] + Array("a\0OcTeT\0BLKSIZE\08\0".utf8)
        guard case .readRequest(let request) = try TFTPPacket(bytes.span) else {
            Issue.record("not a request")
            return
        }
        #expect(request.mode == .octet)
        #expect(request.option(.blockSize) == "8")
    }

    @Test func roundTripsEveryKind() throws {
        let packets: [TFTPPacket] = [
            .writeRequest(TFTPRequest(fileName: [0x61], mode: .netascii)), .data(block: 258, [1, 2, 3]),
            .acknowledgement(block: 65535), .error(.fileNotFound, "no"), .optionAcknowledgement([.init(.timeout, "3")]),
            .error(TFTPErrorCode(rawValue: 999), ""),
        ]
        for packet in packets {
            #expect(try TFTPPacket(packet.encoded.span) == packet)
        }
    }

    @Test func saysWhatIsWrong() {
        #expect(throws: TFTPDecodingError.unknownOperation(9)) { try TFTPPacket(([0, 9] as [UInt8]).span) }
        #expect(throws: TFTPDecodingError.unterminatedText(offset: 2)) { try TFTPPacket(([0, 1, 65] as [UInt8]).span) }
        #expect(throws: TFTPDecodingError.unterminatedText(offset: 4)) {
            try TFTPPacket(([0, 1, 65, 0, 66] as [UInt8]).span)
        }
        #expect(throws: TFTPDecodingError.self) { try TFTPPacket(([0] as [UInt8]).span) }
    }

    @Test func mutatedPacketsDecodeStably() {
        var random = SplitMix(state: 7)
        let seeds: [[UInt8]] = [
            [0, 1] + Array("pxelinux.0\0octet\0tsize\00\0blksize\01408\0".utf8), [0, 4, 0, 9], [0, 3, 0, 1, 2, 3],
            [0, 5, 0, 8] + Array("no\0".utf8), [0, 6] + Array("blksize\0512\0".utf8),
        ]
        for _ in 0..<20_000 {
            var bytes = seeds[Int(random.next() % UInt64(seeds.count))]
            random.mutate(&bytes)
            decodeTwice(bytes)
        }
    }

    /// The property that a fuzzer drives too: what was decoded is encoded to something that decodes to the same.
    private func decodeTwice(_ bytes: [UInt8]) {
        guard let packet = try? TFTPPacket(bytes.span) else { return }
        #expect((try? TFTPPacket(packet.encoded.span)) == packet)
    }
}

/// A small seeded generator, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func mutate(_ bytes: inout [UInt8]) {
        for _ in 0...next() % 4 {
            let at = bytes.isEmpty ? 0 : Int(next() % UInt64(bytes.count))
            switch next() % 4 {
            case 0 where !bytes.isEmpty: bytes[at] = UInt8(truncatingIfNeeded: next())
            case 1 where !bytes.isEmpty: bytes.remove(at: at)
            case 2: bytes.insert(UInt8(truncatingIfNeeded: next()), at: at)
            default: bytes = Array(bytes.prefix(at))
            }
        }
    }
}
