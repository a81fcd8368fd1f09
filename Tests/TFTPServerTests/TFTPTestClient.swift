import CLinux
import NetworkIO
import NetworkTypes
import TFTP

/// A small TFTP client that can lose packets in both directions; every wait has an end.
struct TFTPTestClient {
    enum Failure: Error, Equatable {
        case refused(TFTPErrorCode, String)
        case silent
        case endless
    }

    var server: Endpoint
    /// Every n-th packet is lost, sent or received; 0 loses none.
    var losesEvery = 0
    private var counted = 0

    init(_ server: Endpoint, losesEvery: Int = 0) {
        self.server = server
        self.losesEvery = losesEvery
    }

    private mutating func isLost() -> Bool {
        counted += 1
        return losesEvery > 0 && counted % losesEvery == 0
    }

    mutating func get(_ name: String, mode: TFTPMode = .octet, options: [TFTPOption] = []) throws -> [UInt8] {
        try get(.readRequest(TFTPRequest(fileName: Array(name.utf8), mode: mode, options: options)))
    }

    mutating func get(_ request: TFTPPacket) throws -> [UInt8] {
        let socket = try UDPSocket(bind: Endpoint(.loopback, 0))
        var block = 512
        var window = 1
        var peer = server
        var last = request
        var content: [UInt8] = []
        var next: UInt64 = 1
        var inWindow = 0
        var gapTold = false
        var buffer = [UInt8](repeating: 0, count: 65536)
        try socket.send(request.encoded.span, to: server)
        var silences = 0
        for _ in 0..<1_000_000 {
            var wait = pollfd(fd: socket.descriptor.number, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&wait, 1, losesEvery > 0 ? 100 : 5000) > 0 else {
                silences += 1
                guard silences < 100, losesEvery > 0 else { throw Failure.silent }
                gapTold = false
                inWindow = 0
                if !isLost() { try socket.send(last.encoded.span, to: peer) }
                continue
            }
            guard let (count, origin) = try socket.receive(into: &buffer, flags: CInt(MSG_DONTWAIT)), !isLost() else {
                continue
            }
            if peer == server { peer = origin.peer }
            guard origin.peer == peer else { continue }
            var answer: TFTPPacket?
            switch try TFTPPacket(buffer.span.extracting(0..<count)) {
            case .error(let code, let message): throw Failure.refused(code, message)
            case .optionAcknowledgement(let granted):
                for option in granted {
                    if option.name == .blockSize { block = Int(option.value) ?? 0 }
                    if option.name == .windowSize { window = Int(option.value) ?? 0 }
                }
                if next == 1 { answer = .acknowledgement(block: 0) }
            case .data(let number, let payload):
                guard number == UInt16(truncatingIfNeeded: next) else {
                    if number &- UInt16(truncatingIfNeeded: next) < 0x8000, !gapTold {
                        gapTold = true
                        inWindow = 0
                        answer = .acknowledgement(block: UInt16(truncatingIfNeeded: next &- 1))
                    }
                    break
                }
                gapTold = false
                content += payload
                next += 1
                inWindow += 1
                guard inWindow >= window || payload.count < block else { break }
                inWindow = 0
                answer = .acknowledgement(block: number)
                if payload.count < block {
                    try socket.send(TFTPPacket.acknowledgement(block: number).encoded.span, to: peer)
                    return content
                }
            default: break
            }
            if let answer {
                last = answer
                if !isLost() { try socket.send(answer.encoded.span, to: peer) }
            }
        }
        throw Failure.endless
    }
}
