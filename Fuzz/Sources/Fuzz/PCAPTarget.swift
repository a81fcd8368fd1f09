import PCAP

/// Decode, encode, decode is stable; each frame too.
func fuzzPCAP(_ bytes: Span<UInt8>) {
    if let file = try? PCAPFile(decoding: bytes) {
        precondition((try? PCAPFile(decoding: file.encode().span)) == file, "decode, encode, decode is not stable")
        _ = file.udpDatagrams
    }
    if let datagram = UDPDatagram(ethernetFrame: bytes), let frame = datagram.ethernetFrame() {
        precondition(UDPDatagram(ethernetFrame: frame.span) == datagram, "a frame is not stable")
    }
}
