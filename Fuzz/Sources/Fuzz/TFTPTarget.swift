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
    if let name = try? TFTPFileName(request.fileName) {
        let leaves = name.components.contains { $0 == ".." || $0 == "." || $0.contains("/") }
        precondition(!leaves, "a path leaves its root")
    }
}
