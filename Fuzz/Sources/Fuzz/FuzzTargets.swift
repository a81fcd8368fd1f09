import DHCP
import NeighborDiscovery

/// Takes bytes as the network sends them; traps when a property does not hold.
typealias FuzzTarget = @Sendable (Span<UInt8>) -> Void

/// Every target by the name that the command line and Seeds/ use.
let fuzzTargets: [String: FuzzTarget] = [
    "agent-desk": fuzzCommandDesk,
    "agent-report": fuzzAgentReport,
    "boot-file": fuzzBootFile,
    "cpio": fuzzCPIO,
    "csv": fuzzCSV,
    "dhcp": { DHCPFuzzing.decode($0) },
    "dns": fuzzDNS,
    "http": fuzzHTTPRequest,
    "loader-format": fuzzLoaderFormat,
    "mustache": fuzzMustache,
    "nbd-handshake": fuzzNBDHandshake,
    "nbd-request": fuzzNBDRequest,
    "nfs3-arguments": fuzzNFS3Arguments,
    "nfs4-arguments": fuzzNFS4Arguments,
    "nfs4-state": fuzzNFS4State,
    "pcap": fuzzPCAP,
    "portmap": fuzzPortmapper,
    "router-solicitation": { RouterSolicitation.fuzz($0) },
    "rpc-call": fuzzRPCCall,
    "rpc-record": fuzzRPCRecord,
    "tftp": fuzzTFTP,
]

/// The bytes as an array, where a property needs to keep or compare them.
func array(_ bytes: Span<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    for index in bytes.indices { result.append(bytes[index]) }
    return result
}
