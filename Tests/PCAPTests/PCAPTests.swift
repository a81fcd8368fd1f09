import NetworkTypes
import PCAP
import Testing

@Suite struct PCAPTests {
    private let datagram = UDPDatagram(
        sourceMAC: MACAddress(value: 0x5254_0012_3456),
        destinationMAC: MACAddress(value: 0xffff_ffff_ffff),
        source: Endpoint(IPv4Address(10, 0, 0, 1), 67),
        destination: Endpoint(.broadcast, 68),
        payload: [1, 2, 3]
    )

    @Test(arguments: [false, true], [false, true])
    func bothOrdersAndUnits(_ isBigEndian: Bool, _ isNanoseconds: Bool) throws {
        var file = PCAPFile(isNanoseconds: isNanoseconds, isBigEndian: isBigEndian, snapshotLength: 65535)
        file.packets = [
            .init(seconds: 1_700_000_000, fraction: 999_999, bytes: [1, 2, 3]),
            .init(seconds: 1, fraction: 2, bytes: [], originalLength: 1500),
        ]
        let bytes = file.encode()
        #expect(
            bytes.prefix(4).elementsEqual(
                isBigEndian
                    ? [0xa1, 0xb2] + (isNanoseconds ? [0x3c, 0x4d] : [0xc3, 0xd4])
                    : (isNanoseconds ? [0x4d, 0x3c] : [0xd4, 0xc3]) + [0xb2, 0xa1]
            )
        )
        #expect(try PCAPFile(decoding: bytes.span) == file)
    }

    @Test func refusesWhatIsNone() {
        #expect(throws: PCAPError.notACapture) {
            try PCAPFile(decoding: ([0x0a, 0x0d, 0x0d, 0x0a, 0] as [UInt8]).span)
        }
        #expect(throws: PCAPError.truncated(offset: 0)) { try PCAPFile(decoding: ([1, 2] as [UInt8]).span) }
        var file = PCAPFile()
        file.packets = [.init(seconds: 1, fraction: 2, bytes: [1, 2, 3])]
        let cut = Array(file.encode().dropLast())
        #expect(throws: PCAPError.truncated(offset: 40)) { try PCAPFile(decoding: cut.span) }
    }

    @Test func framesCarryDatagrams() throws {
        let frame = try #require(datagram.ethernetFrame())
        #expect(UDPDatagram(ethernetFrame: frame.span) == datagram)
        // Ethernet pads short frames.
        #expect(UDPDatagram(ethernetFrame: (frame + [0, 0, 0, 0]).span) == datagram)
        #expect(UDPDatagram(ethernetFrame: Array(frame[..<12] + [0x81, 0, 0, 5] + frame[12...]).span) == datagram)
    }

    @Test func everyCutOffFrameIsNothing() throws {
        let frame = try #require(datagram.ethernetFrame())
        for count in 0..<frame.count {
            #expect(UDPDatagram(ethernetFrame: Array(frame[..<count]).span) == nil)
        }
    }

    @Test func otherFramesAreNothing() throws {
        let frame = try #require(datagram.ethernetFrame())
        for (index, value) in [(12, 0x86), (14, 0x65), (14, 0x41), (20, 0x20), (23, 6), (39, 7)] as [(Int, UInt8)] {
            var changed = frame
            changed[index] = value
            #expect(UDPDatagram(ethernetFrame: changed.span) == nil)
        }
    }

    /// Every byte set to telling values, at every length: an answer or an error, never a trap, and what decodes is stable.
    @Test func mutationsNeverTrap() throws {
        var file = PCAPFile()
        file.packets = [.init(seconds: 1, fraction: 2, bytes: try #require(datagram.ethernetFrame()))]
        let seed = file.encode()
        for length in [23, 24, 39, 40, 41, seed.count - 1, seed.count] {
            for index in 0..<length {
                var bytes = Array(seed[..<length])
                for value in [0, 1, 0x45, 0x4f, 127, 128, 255] as [UInt8] {
                    bytes[index] = value
                    guard let decoded = try? PCAPFile(decoding: bytes.span) else { continue }
                    _ = decoded.udpDatagrams
                    #expect(try PCAPFile(decoding: decoded.encode().span) == decoded)
                }
            }
        }
    }
}
