import BootModel
import Foundation
import NetworkTypes

/// Tells which machine is behind an IPv4 address: who holds its lease, else whom the kernel has met there.
///
/// In proxy mode the addresses are another server's; then the kernel's neighbour table knows, because the machine has
/// just spoken with us.
struct PeerDirectory: Sendable {
    /// The holder of an address by our own leases.
    var leaseHolder: @Sendable (IPv4Address) -> MACAddress?
    /// Where the kernel shows its neighbour table.
    var neighbourTable = "/proc/net/arp"

    /// The hardware address behind `address`; nil when nobody knows it, as for this computer itself.
    func mac(of address: IPv4Address) -> MACAddress? { leaseHolder(address) ?? neighbour(address) }

    /// Whether the machine at `address` may be the one with this hardware address, as far as anybody can tell.
    ///
    /// Nobody knows those behind a router; that this computer itself is unknown too shows by its address, `local`.
    func couldBe(_ mac: MACAddress, at address: IPv4Address, local: IPv4Address) -> Bool {
        self.mac(of: address).map { $0 == mac } ?? (address != local)
    }

    private func neighbour(_ address: IPv4Address) -> MACAddress? {
        guard let text = try? String(contentsOfFile: neighbourTable, encoding: .utf8) else { return nil }
        return Self.neighbour(address, in: text)
    }

    /// Reads a neighbour table: address, hardware type, flags, hardware address, mask, interface.
    static func neighbour(_ address: IPv4Address, in table: String) -> MACAddress? {
        let wanted = address.description
        for line in table.split(separator: "\n").dropFirst() {
            let columns = line.split(separator: " ", omittingEmptySubsequences: true)
            if columns.count >= 4, columns[0] == wanted, let mac = MACAddress(columns[3]), mac.value != 0 { return mac }
        }
        return nil
    }
}
