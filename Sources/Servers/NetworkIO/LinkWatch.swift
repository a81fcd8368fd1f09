import CLinux
public import NetworkTypes

/// Hears on one Ethernet interface what no UDP socket of ours does: ARP, and what other DHCP servers tell clients.
public final class LinkWatch: Sendable {
    /// One thing heard.
    public enum Heard: Sendable {
        /// A machine says by ARP that it has an address.
        case arp(MACAddress, has: IPv4Address)
        /// A datagram to a DHCP client.
        case reply(from: IPv4Address, mac: MACAddress, payload: [UInt8])
    }

    /// The socket.
    public let descriptor: FileDescriptor
    private let index: CInt
    private let mac: MACAddress

    /// Opens it; nil when the interface is no Ethernet.
    ///
    /// Throws `SystemCallError`: without CAP_NET_RAW, or when the interface is gone.
    public init?(interface: String) throws {
        let what = "watch \(interface)"
        index = CInt(bitPattern: unsafe if_nametoindex(interface))
        // Nothing is heard before the filter stands: protocol 0, and bind comes last.
        descriptor = try FileDescriptor(
            what,
            socket(AF_PACKET, CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        )
        var hardware: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0, 0, 0)
        let isEthernet = unsafe clinux_ethernet_address(descriptor.number, interface, &hardware)
        guard isEthernet == 1 else { return nil }
        mac = MACAddress(
            value: [hardware.0, hardware.1, hardware.2, hardware.3, hardware.4, hardware.5]
                .reduce(0) { $0 << 8 | UInt64($1) }
        )
        try check(what, clinux_watch_link(descriptor.number, index))
    }

    /// The next thing heard; nil when there is none.
    ///
    /// Frames that are not what they seem are skipped.
    public func receive(into buffer: inout [UInt8]) -> Heard? {
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe recv(descriptor.number, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT))
            }
            guard count >= 0 else { return nil }
            if let heard = Self.read(buffer[..<count]) { return heard }
        }
    }

    static func read(_ frame: ArraySlice<UInt8>) -> Heard? {
        func number(_ offset: Int, _ count: Int) -> UInt64 {
            frame[frame.startIndex + offset..<frame.startIndex + offset + count].reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard frame.count >= 42 else { return nil }
        switch number(12, 2) {
        case 0x0806:
            // Ethernet and IPv4 (RFC 826); a probe's sender has no address yet.
            guard number(14, 6) == 0x0001_0800_0604 else { return nil }
            let address = IPv4Address(value: UInt32(number(28, 4)))
            return address.isAny ? nil : .arp(MACAddress(value: number(22, 6)), has: address)
        case 0x0800:
            let header = Int(number(14, 1) & 15) * 4
            guard header >= 20, frame.count >= 14 + header + 8 else { return nil }
            let start = 14 + header + 8
            let length = min(Int(number(14 + header + 4, 2)) - 8, frame.count - start)
            guard length > 0 else { return nil }
            return .reply(
                from: IPv4Address(value: UInt32(number(26, 4))),
                mac: MACAddress(value: number(6, 6)),
                payload: Array(frame[frame.startIndex + start..<frame.startIndex + start + length])
            )
        default: return nil
        }
    }

    /// Asks the wire who has an address, without claiming one ourselves (RFC 5227 section 2.1.1).
    public func probe(_ address: IPv4Address) throws(SystemCallError) {
        var frame = [UInt8](repeating: 0xff, count: 6) + mac.bytes + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + mac.bytes
        frame += [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        frame += (0..<4).map { UInt8(truncatingIfNeeded: address.value >> UInt32(24 - 8 * $0)) }
        frame += [UInt8](repeating: 0, count: 60 - frame.count)
        let sent = unsafe frame.withUnsafeBytes { unsafe send(descriptor.number, $0.baseAddress, $0.count, 0) }
        guard sent >= 0 else { throw SystemCallError("probe \(address)") }
    }
}
