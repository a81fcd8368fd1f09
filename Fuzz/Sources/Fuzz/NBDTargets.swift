import NBD

/// The machine always ends or waits, consumes no more than there is, and does the same for every split of the bytes.
func fuzzNBDHandshake(_ bytes: Span<UInt8>) {
    let whole = actions(bytes, step: bytes.count)
    let split = actions(bytes, step: 1)
    // Only a stream that is no NBD may end earlier when it arrives in pieces.
    let closed: (NBDHandshake.Action?) -> Bool = { if case .close? = $0 { true } else { false } }
    let bothClosed = closed(whole.last) && closed(split.last)
    precondition(whole == split || bothClosed, "the split of the bytes changes the answers")
}

/// What a client sends as requests decodes to the same again, and a refusal never lets a request past the export's end.
func fuzzNBDRequest(_ bytes: Span<UInt8>) {
    for extended in [false, true] { fuzzNBDRequest(bytes, extended) }
}

private func fuzzNBDRequest(_ bytes: Span<UInt8>, _ extended: Bool) {
    guard let request = try? NBDRequest(decoding: bytes, extended: extended) else { return }
    let encoded = extended ? request.extendedHeader : request.encoded
    let again = try? NBDRequest(decoding: encoded.span, extended: extended)
    precondition(again == request, "decode, encode, decode is not stable")
    precondition(encoded == Array(array(bytes).prefix(encoded.count)), "encoding changed a byte")
    let every: NBDTransmissionFlags = [.flush, .forceUnitAccess, .trim, .writeZeroes]
    for size: UInt64 in [0, 1 << 20, 1 << 40, .max] {
        for flags in [every, .readOnly] {
            let session = NBDSession(exportName: "", size: size, flags: flags, allocationContext: 1)
            guard session.refusal(of: request) == nil else { continue }
            let isInside = request.offset <= size && request.length <= size - request.offset
            precondition(isInside, "a request reaches past the export's end")
            let changes: [NBDCommand] = [.write, .trim, .writeZeroes]
            precondition(flags == every || !changes.contains(request.command), "a change of a read-only export")
        }
    }
}

private func actions(_ bytes: Span<UInt8>, step: Int) -> [NBDHandshake.Action] {
    var handshake = NBDHandshake(tls: .allowed)
    var result: [NBDHandshake.Action] = []
    var start = 0
    var end = min(step, bytes.count)
    while true {
        let (consumed, actions) = handshake.receive(bytes.extracting(start..<end))
        precondition(consumed >= 0 && consumed <= end - start, "consumed more than there was")
        start += consumed
        for action in actions {
            result.append(action)
            switch action {
            case .send, .startTLS: break
            case .openExport(let name, _):
                let answers = handshake.answer(
                    export: name.hasPrefix("x")
                        ? .failure(NBDExportRefusal(.unknown, "no such export"))
                        : .success(NBDExportDescription(size: 1 << 30, flags: []))
                )
                result += answers
                if ended(answers) { return result }
            case .listExports: result += handshake.answer(list: [NBDListedExport(name: "debian@1")])
            case .beginTransmission, .close: return result
            }
        }
        if consumed == 0 {
            if end == bytes.count { return result }
            end = min(end + step, bytes.count)
        }
    }
}

private func ended(_ actions: [NBDHandshake.Action]) -> Bool {
    actions.contains {
        switch $0 {
        case .beginTransmission, .close: true
        default: false
        }
    }
}
