import TFTP

/// Decode, encode, decode is stable, and a name that is accepted stays below its root.
func fuzzTFTP(_ bytes: Span<UInt8>) {
    guard let packet = try? TFTPPacket(bytes) else { return }
    let encoded = packet.encoded
    guard let again = try? TFTPPacket(encoded.span) else { preconditionFailure("an encoded packet cannot be decoded") }
    precondition(again.encoded == encoded, "encoding is not stable")
    guard case .readRequest(let request) = packet else { return }
    let options = TransferOptions(request, size: 1 << 20, limits: TransferLimits())
    precondition(options.blockSize >= 8 && options.windowSize >= 1, "granted options cannot work")
    drive(ReadTransfer(size: 1 << 20, options: options, now: 1), array(bytes))
    if let name = try? TFTPFileName(request.fileName) {
        let leaves = name.components.contains { $0 == ".." || $0 == "." || $0.contains("/") }
        precondition(!leaves, "a path leaves its root")
    }
}

/// Whatever a client acknowledges, and whenever: what is sent lies in the file and in one window, and it ends.
private func drive(_ transfer: ReadTransfer, _ bytes: [UInt8]) {
    var transfer = transfer
    var now: UInt64 = 1
    var action = transfer.start(now: now)
    for index in 0..<min(2 * bytes.count, 2000) {
        switch action {
        case .wait, .sendOptions: break
        case .end: return
        case .sendBlocks(let blocks):
            precondition(blocks.lowerBound == transfer.acknowledged + 1, "a window begins elsewhere")
            precondition(blocks.count <= transfer.options.windowSize, "more than a window")
            precondition(blocks.upperBound <= transfer.blockCount, "a block behind the last one")
            precondition(transfer.bytes(of: blocks.upperBound).upperBound <= transfer.size, "bytes behind the end")
        }
        // Mostly the right acknowledgement, so that the later blocks are reached too.
        let byte = bytes[index % bytes.count]
        now += UInt64(byte) << 16
        switch byte % 8 {
        case 0: action = transfer.timedOut(now: max(now, transfer.deadline))
        case 1: action = transfer.received(acknowledgement: UInt16(byte) << 8 | UInt16(byte), now: now)
        case 2: action = transfer.received(acknowledgement: transfer.wireNumber(of: transfer.acknowledged), now: now)
        default:
            let next = min(transfer.acknowledged + UInt64(byte % 8 - 2), transfer.blockCount)
            action = transfer.received(acknowledgement: transfer.wireNumber(of: next), now: now)
        }
    }
    while true {
        if case .end = transfer.timedOut(now: transfer.deadline) { return }
        precondition(transfer.retransmissions < 5000, "a transfer never ends")
    }
}
