import NFS3
import ONCRPC
import XDR

/// A record lies inside what has arrived, whatever its fragments, and joining them changes no byte behind it.
func fuzzRPCRecord(_ bytes: Span<UInt8>) {
    let original = array(bytes)
    var memory = original
    let step = unsafe memory.withUnsafeMutableBytes {
        unsafe RecordMarking.next(unsafely: $0, 0, $0.count, limit: 4096)
    }
    switch step {
    case .incomplete, .refused: break
    case .long(let length): precondition(length > 4096, "a record that fits is called long")
    case .record(let body, let end):
        precondition(body.lowerBound == 4 && body.upperBound <= end && end <= original.count, "a record lies outside")
        precondition(body.count <= 4096, "a record is longer than its limit")
        precondition(memory[end...] == original[end...], "bytes of the next record are changed")
    }
}

/// A call's credential lies in its record; one that can be read decodes to the same after it was written.
func fuzzRPCCall(_ bytes: Span<UInt8>) {
    var reader = unsafe XDRReader(bytes.bytes)
    guard let call = try? RPCCall(decoding: &reader) else { return }
    precondition(call.credential.upperBound <= reader.offset && reader.offset <= bytes.count, "lies outside")
    guard let credential = unsafe try? RPCSystemCredential(decoding: bytes.bytes.extracting(call.credential)) else {
        return
    }
    let again = written { credential.encode(into: &$0) }
    precondition((unsafe try? RPCSystemCredential(decoding: again.span.bytes)) == credential, "is not stable")
}

/// Whatever comes gets one reply with its own number, or none.
func fuzzPortmapper(_ bytes: Span<UInt8>) {
    let mapper = Portmapper([Portmapper.Entry(100_003, 3, .tcp, 2049), Portmapper.Entry(100_005, 3, .tcp, 2049)])
    var isAnswered = false
    let reply = written { isAnswered = unsafe mapper.answer(bytes.bytes, into: &$0) }
    precondition(isAnswered == !reply.isEmpty, "an answer without a reply")
    guard isAnswered else { return }
    precondition(Array(reply.prefix(4)) == Array(array(bytes).prefix(4)), "the reply of another call")
}

/// The arguments of the procedure that the first byte names decode or are refused; handles, names and attributes are stable.
func fuzzNFS3Arguments(_ bytes: Span<UInt8>) {
    guard bytes.count > 0, let procedure = NFS3Procedure(rawValue: UInt32(bytes[0]) % 22) else { return }
    let arguments = unsafe bytes.bytes.extracting(1..<bytes.count)
    var reader = XDRReader(arguments)
    switch procedure {
    case .null: break
    case .getAttributes, .readLink, .fileSystemStatus, .fileSystemInfo, .pathConfiguration:
        guard let handle = try? NFS3FileHandle(decoding: &reader) else { return }
        let again = written { handle.encode(into: &$0) }
        var second = unsafe XDRReader(again.span.bytes)
        precondition((try? NFS3FileHandle(decoding: &second)) == handle, "a handle is not stable")
    case .setAttributes:
        guard let call = try? NFS3SetAttributesCall(decoding: &reader) else { return }
        let again = written { call.attributes.encode(into: &$0) }
        var second = unsafe XDRReader(again.span.bytes)
        precondition((try? NFS3NewAttributes(decoding: &second)) == call.attributes, "attributes are not stable")
    case .lookup, .remove, .removeDirectory:
        guard let call = try? NFS3Name(decoding: &reader) else { return }
        let again = written { call.encode(into: &$0) }
        var second = unsafe XDRReader(again.span.bytes)
        precondition((try? NFS3Name(decoding: &second)) == call, "a name is not stable")
    case .access: _ = try? NFS3AccessCall(decoding: &reader)
    case .read: _ = try? NFS3ReadCall(decoding: &reader)
    case .write:
        guard let call = try? NFS3WriteCall(decoding: &reader) else { return }
        precondition(call.count <= call.length, "more is written than was sent")
    case .create: _ = try? NFS3CreateCall(decoding: &reader)
    case .makeDirectory: _ = try? NFS3MakeDirectoryCall(decoding: &reader)
    case .symbolicLink: _ = try? NFS3SymbolicLinkCall(decoding: &reader)
    case .makeNode: _ = try? NFS3MakeNodeCall(decoding: &reader)
    case .rename: _ = try? NFS3RenameCall(decoding: &reader)
    case .link: _ = try? NFS3LinkCall(decoding: &reader)
    case .readDirectory, .readDirectoryPlus: fuzzListing(&reader, plus: procedure == .readDirectoryPlus)
    case .commit: _ = try? NFS3CommitCall(decoding: &reader)
    }
    precondition(reader.offset <= arguments.byteCount, "read past the end")
}

/// Whatever a client has room for: a listing fits.
private func fuzzListing(_ reader: inout XDRReader, plus: Bool) {
    guard let call = try? NFS3ReadDirectoryCall(decoding: &reader, plus: plus) else { return }
    let name: [UInt8] = Array("name".utf8)
    let reply = written {
        var listing = NFS3DirectoryListing(call, plus: plus, directory: nil, maximum: 4096, into: &$0)
        for file in 0..<200 as Range<UInt64> where !listing.isFull(nameLength: 4, handleLength: 64, $0) {
            unsafe listing.append(
                file: file,
                name: name.span.bytes,
                cookie: file,
                attributes: nil,
                handle: call.handle,
                into: &$0
            )
        }
        listing.finish(isAtEnd: true, into: &$0)
    }
    precondition(reply.count <= max(Int(min(call.limit, 4096)), 24), "a listing is longer than the client's room")
}

private func written(_ body: (inout XDRWriter) -> Void) -> [UInt8] {
    var memory = [UInt8](repeating: 0, count: 8192)
    return unsafe memory.withUnsafeMutableBytes { buffer in
        var writer = unsafe XDRWriter(unsafely: buffer)
        body(&writer)
        precondition(!writer.overflowed, "does not fit")
        return unsafe Array(buffer.prefix(writer.count))
    }
}
