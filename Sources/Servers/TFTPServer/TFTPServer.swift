import CLinux
public import Logging
import NetworkIO
public import NetworkTypes
import Synchronization
import TFTP

/// Serves files over TFTP, read only: one thread takes requests, others send.
public final class TFTPServer: Sendable {
    /// Where it listens; a port of 0 was replaced by the kernel's choice.
    public let endpoint: Endpoint

    private let socket: UDPSocket
    private let source: any TFTPContentSource
    private let options: TFTPServerOptions
    private let logger: Logger
    private let admission: Admission
    private let workers: [TransferWorker]
    private let stopping: FileDescriptor

    /// Starts to serve on `endpoint`; port 69 needs root or CAP_NET_BIND_SERVICE.
    ///
    /// Throws `PortTaken` or `SystemCallError`.
    public init(
        on endpoint: Endpoint,
        source: any TFTPContentSource,
        options: TFTPServerOptions = TFTPServerOptions(),
        logger: Logger
    ) throws {
        let admission = Admission(options)
        socket = try UDPSocket(bind: endpoint)
        stopping = try FileDescriptor("eventfd", eventfd(0, CInt(EFD_CLOEXEC)))
        workers = try (0..<max(1, options.threads)).map { number in
            try TransferWorker(number) { report in
                admission.leave(report.request.peer.address)
                source.finished(report)
            }
        }
        self.endpoint = socket.endpoint
        self.source = source
        self.options = options
        self.logger = logger
        self.admission = admission
        try WorkerThread.start("tftp-requests", stackBytes: 1 << 20) { [self] in run() }
    }

    /// Ends the server and its transfers; clients are told.
    ///
    /// The port is free soon after.
    public func stop() {
        eventfd_write(stopping.number, 1)
        for worker in workers { worker.post(.stop) }
    }

    private func run() {
        var files = MappedFiles()
        var buffer = [UInt8](repeating: 0, count: 2048)
        var turn = 0
        var waits = [
            pollfd(fd: socket.descriptor.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopping.number, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            _ = unsafe poll(&waits, 2, -1)
            if waits[1].revents != 0 { return }
            do {
                guard let (count, origin) = try socket.receive(into: &buffer, flags: CInt(MSG_DONTWAIT)) else {
                    continue
                }
                take(buffer.span.extracting(0..<count), origin, &files, &turn)
            } catch {
                logger.error("TFTP \(endpoint): \(error)")
                // The error may last; without a pause this thread would spin on it.
                usleep(100_000)
            }
        }
    }

    private func take(_ bytes: Span<UInt8>, _ origin: DatagramOrigin, _ files: inout MappedFiles, _ turn: inout Int) {
        // Replies to a broadcast leave from the address that the kernel chose for this path.
        let local = origin.local.isAny ? origin.destination : origin.local
        switch try? TFTPPacket(bytes) {
        case .readRequest(let request)?:
            turn = (turn + 1) % workers.count
            begin(request, origin.peer, local, &files, workers[options.usesSinglePort ? 0 : turn])
        case .writeRequest?:
            logger.info("TFTP \(origin.peer): write refused: this server only hands out files")
            refuse(origin.peer, local, .accessViolation, "this server only hands out files")
        case .acknowledgement?, .error?:
            if options.usesSinglePort { workers[0].post(.packet(from: origin.peer, copy(bytes))) }
        default:
            logger.debug("TFTP \(origin.peer): \(bytes.count) bytes that are no request")
        }
    }

    private func copy(_ bytes: Span<UInt8>) -> [UInt8] {
        bytes.indices.map { bytes[$0] }
    }

    private func begin(
        _ request: TFTPRequest,
        _ peer: Endpoint,
        _ local: IPv4Address,
        _ files: inout MappedFiles,
        _ worker: TransferWorker
    ) {
        guard request.mode == .octet || request.mode == .netascii else {
            refuse(peer, local, .illegalOperation, "mode '\(request.mode)' is not known: use octet")
            return
        }
        let name: TFTPFileName
        do throws(TFTPFileName.Problem) { name = try TFTPFileName(request.fileName) } catch {
            let text = String(decoding: request.fileName, as: UTF8.self).printable
            logger.info("TFTP \(peer): '\(text)' refused: \(error)")
            refuse(peer, local, error == .leavesDirectory ? .accessViolation : .fileNotFound, "\(error)")
            return
        }
        guard admission.enter(peer.address) else {
            logger.warning("TFTP \(peer): '\(name)' refused: too many transfers at a time")
            refuse(peer, local, .notDefined, "too many transfers at a time: try again later")
            return
        }
        let began = monotonicNow()
        let asked = TFTPContentRequest(name: name, mode: request.mode, peer: peer, local: local)
        do {
            let data = try load(asked, &files)
            let channel = try channel(peer, local)
            let limits = TransferLimits(
                blockSize: min(options.blockSize, channel.blockSizeLimit),
                windowSize: options.windowSize
            )
            let settled = TransferOptions(request, size: data.count, limits: limits)
            let now = monotonicNow()
            let transfer = ReadTransfer(size: data.count, options: settled, now: now)
            worker.post(
                .begin(PreparedTransfer(channel: channel, data: data, transfer: transfer, request: asked, began: began))
            )
        } catch {
            admission.leave(peer.address)
            let refusal = error as? Refusal ?? Refusal(.notDefined, "'\(name)': \(error)")
            logger.debug("TFTP \(peer): '\(name)' refused: \(refusal.message)")
            refuse(peer, local, refusal.code, refusal.message)
        }
    }

    private func load(_ request: TFTPContentRequest, _ files: inout MappedFiles) throws -> TransferData {
        switch source.content(for: request) {
        case .refused(let code, let message): throw Refusal(code, message)
        case .bytes(let bytes):
            return TransferData(copying: request.mode == .netascii ? Netascii.encode(bytes) : bytes)
        case .file(let file, let size):
            guard request.mode == .netascii else { return try files.data(of: file, size: size) }
            guard size <= options.netasciiLimit else {
                throw Refusal(.notDefined, "'\(request.name)' is too large for netascii: use octet")
            }
            return TransferData(copying: Netascii.encode(try readWhole(file, size)))
        }
    }

    private func channel(_ peer: Endpoint, _ local: IPv4Address) throws -> TransferChannel {
        options.usesSinglePort
            ? .shared(socket, peer: peer, local: local) : .own(try ConnectedDatagramSocket(from: local, to: peer))
    }

    private func refuse(_ peer: Endpoint, _ local: IPv4Address, _ code: TFTPErrorCode, _ message: String) {
        try? channel(peer, local).send(.error(code, message))
    }
}

/// A request that gets an ERROR packet.
private struct Refusal: Error {
    var code: TFTPErrorCode
    var message: String
    init(_ code: TFTPErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// Counts transfers, all together and for each client address.
private final class Admission: Sendable {
    private struct Counts {
        var all = 0
        var peers: [IPv4Address: Int] = [:]
    }

    private let counts = Mutex(Counts())
    private let most: Int
    private let mostPerPeer: Int

    init(_ options: TFTPServerOptions) {
        most = options.transfers
        mostPerPeer = options.transfersPerPeer
    }

    func enter(_ peer: IPv4Address) -> Bool {
        counts.withLock { counts in
            guard counts.all < most, counts.peers[peer, default: 0] < mostPerPeer else { return false }
            counts.all += 1
            counts.peers[peer, default: 0] += 1
            return true
        }
    }

    func leave(_ peer: IPv4Address) {
        counts.withLock { counts in
            counts.all -= 1
            let left = counts.peers[peer, default: 1] - 1
            counts.peers[peer] = left > 0 ? left : nil
        }
    }
}
