import BootModel
import CLinux
import Logging
import NetworkIO
import NetworkTypes
import TFTP
import TFTPServer

/// What the TFTP server has: the loaders that plans name, and nothing else.
struct LoaderSource: TFTPContentSource {
    let loaders: LoaderFiles
    let boots: BootService
    let peers: PeerDirectory
    let clock: any Clock
    let logger: Logger

    func content(for request: TFTPContentRequest) -> TFTPContent {
        // Firmware asks "undionly.kpxe", "/undionly.kpxe" or "\undionly.kpxe"; the name is clean by now.
        guard request.name.components.count == 1, let path = loaders.path(of: request.name.path) else {
            // Loaders look for many files that need not be there.
            logger.debug("TFTP: no \(request.name)", metadata: ["peer": "\(request.peer.address)"])
            return .refused(.fileNotFound, "no such file: this server sends loaders only")
        }
        do {
            let file = try FileDescriptor("open \(path)", unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0))
            var status = stat()
            try check("read the size of \(path)", unsafe fstat(file.number, &status))
            return .file(file, size: UInt64(status.st_size))
        } catch {
            logger.error("cannot send the loader", metadata: ["file": "\(path)", "error": "\(error)"])
            return .refused(.notDefined, "the server cannot read it")
        }
    }

    func finished(_ report: TFTPTransferReport) {
        let peer = report.request.peer.address
        guard let mac = peers.mac(of: peer) else { return }
        var event = BootEvent(
            time: clock.now(),
            node: boots.identify(NodeRequest(mac: mac, stage: .firmware)).node.name,
            mac: mac,
            kind: .loader,
            address: peer,
            file: report.request.name.path,
            bytes: Int64(clamping: report.bytes),
            seconds: report.seconds
        )
        switch report.outcome {
        case .complete:
            boots.record(event, reached: .loader)
        case .probed:
            break
        case .aborted(_, let message):
            event.kind = .aborted
            event.detail = message.isEmpty ? "the client gave up" : message
            boots.record(event, reached: nil)
        case .timedOut:
            event.kind = .aborted
            event.detail = "the client fell silent"
            boots.record(event, reached: nil)
        }
    }
}
