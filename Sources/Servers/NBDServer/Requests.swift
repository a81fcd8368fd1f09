import BlockStorage
import NBD
import NetworkIO

// One function for each kind of request. Each returns false when the connection is broken.
extension TransmissionLoop {
    mutating func serve(_ request: NBDRequest, _ data: UnsafeRawBufferPointer) -> Bool {
        let refusal = session.refusal(of: request)
        if gathersWrites, refusal == nil, request.command == .write {
            unsafe gather(request, data)
            return true
        }
        guard finishGathered() else { return false }
        if let refusal { return reply(request, refusal.code, "\(refusal.reason)") }
        switch request.command {
        case .read:
            if isWorthReference(request) {
                switch readReferenced(request) {
                case .done: return true
                case .broken: return false
                case .unfit: break
                }
            }
            guard !hasPiped || sendPiped() else { return false }
            return request.length <= UInt64(Self.directLength) ? readCopied(request) : readDirect(request)
        case .write: return unsafe write(request, data)
        case .trim:
            let storage = storage
            do throws(BlockError) {
                let isDone = try change { () throws(BlockError) in
                    try storage.trim(at: request.offset, length: request.length)
                }
                guard isDone else { return false }
            } catch { return reply(request, NBDErrorCode(errno: error.number), "trim failed") }
            return finishChange(request, .none, "")
        case .writeZeroes:
            let storage = storage
            let keepsSpace = request.flags.contains(.noHole)
            do throws(BlockError) {
                let isDone = try change { () throws(BlockError) in
                    try storage.zero(at: request.offset, length: request.length, keepsSpace: keepsSpace)
                }
                guard isDone else { return false }
            } catch { return reply(request, NBDErrorCode(errno: error.number), "write of zeros failed") }
            return finishChange(request, .none, "")
        case .cache:
            storage.readAhead(at: request.offset, length: request.length)
            return reply(request, .none, "")
        case .flush:
            // Replies that wait here must not wait for the disk too.
            guard sendOutput() else { return false }
            flusher.add(request)
            return true
        case .blockStatus: return blockStatus(request)
        case .resize:
            // Replies that wait here must not wait for the disk too.
            guard sendOutput() else { return false }
            do throws(BlockError) { try storage.grow(to: request.offset) } catch {
                return reply(request, NBDErrorCode(errno: error.number), "the export cannot grow")
            }
            session.size = request.offset
            return reply(request, .none, "")
        default: return reply(request, .invalid, "unknown command")
        }
    }

    /// Answers a change, after making it durable where the client wants that.
    mutating func finishChange(_ request: NBDRequest, _ error: NBDErrorCode, _ reason: String) -> Bool {
        guard error == .none, request.flags.contains(.forceUnitAccess) else { return reply(request, error, reason) }
        guard sendOutput() else { return false }
        flusher.add(request)
        return true
    }

    /// Makes sure that `count` bytes fit behind what is in the output.
    private mutating func makeRoom(_ count: Int) -> Bool {
        filled + count <= output.capacity && !hasPiped || sendOutput()
    }

    private var chunk: NBDReplyChunk { NBDReplyChunk(extended: session.headers == .extended) }

    /// Writes the header of a READ's reply behind what is in the output; there is room.
    private mutating func appendReadHeader(_ request: NBDRequest) {
        let size = session.headers.readHeaderSize
        var header = unsafe MutableRawSpan(_unsafeBytes: output.part(filled, size))
        session.headers.encodeReadHeader(to: request, into: &header)
        filled += size
    }

    /// A reply without data.
    mutating func reply(_ request: NBDRequest, _ error: NBDErrorCode, _ reason: String) -> Bool {
        guard session.headers != .simple else {
            guard makeRoom(NBDSimpleReply.headerSize) else { return false }
            var header = unsafe MutableRawSpan(_unsafeBytes: output.part(filled, NBDSimpleReply.headerSize))
            NBDSimpleReply.encode(cookie: request.cookie, error: error, into: &header)
            filled += NBDSimpleReply.headerSize
            return true
        }
        guard error == .none else { return append(chunk.error(error, to: request, reason: reason)) }
        guard makeRoom(chunk.headerSize) else { return false }
        var header = unsafe MutableRawSpan(_unsafeBytes: output.part(filled, chunk.headerSize))
        chunk.encodeFinal(.none, to: request, length: 0, into: &header)
        filled += chunk.headerSize
        return true
    }

    private mutating func append(_ bytes: [UInt8]) -> Bool {
        guard makeRoom(bytes.count) else { return false }
        unsafe output.part(filled, bytes.count).copyBytes(from: bytes)
        filled += bytes.count
        return true
    }

    /// A READ whose data is copied behind its header, to go out with the other replies.
    private mutating func readCopied(_ request: NBDRequest) -> Bool {
        let length = Int(request.length)
        guard makeRoom(session.headers.readHeaderSize + length) else { return false }
        do throws(BlockError) {
            unsafe try storage.read(
                into: output.part(filled + session.headers.readHeaderSize, length),
                at: request.offset
            )
        } catch { return reply(request, NBDErrorCode(errno: error.number), "read failed") }
        appendReadHeader(request)
        filled += length
        traffic.read += UInt64(length)
        return filled < Self.sendLength || sendOutput()
    }

    /// A READ whose data goes from the file to the socket where it lies in a plain one, else in large pieces.
    ///
    /// An error after the header is on its way can only be told by closing; the next session gets it as an error.
    private mutating func readDirect(_ request: NBDRequest) -> Bool {
        if triesReads {
            guard sendOutput() else { return false }
            do throws(BlockError) { try tryToRead(request) } catch {
                return reply(request, NBDErrorCode(errno: error.number), "read failed")
            }
        }
        // Half the buffer at least for a piece of data that has to be copied.
        if filled > output.capacity / 2, !sendOutput() { return false }
        let start = filled
        appendReadHeader(request)
        var offset = request.offset
        var left = Int(request.length)
        // The first piece is read before anything of this reply leaves.
        if !hasPlainRun(offset, left) {
            let piece = min(left, output.capacity - filled)
            do throws(BlockError) { unsafe try storage.read(into: output.part(filled, piece), at: offset) } catch {
                filled = start
                return reply(request, NBDErrorCode(errno: error.number), "read failed")
            }
            filled += piece
            offset += UInt64(piece)
            left -= piece
        }
        if moreWaits, !holdsPartSegments {
            // Without this each long reply ends in a small segment of its own, which costs as much as a full one.
            socket.holdPartSegments(true)
            holdsPartSegments = true
        }
        // Locals: the closure must not hold on to this value.
        let (storage, sender) = (storage, sender)
        let memory = unsafe output.part(0, output.capacity)
        let ready = filled
        filled = 0
        traffic.read += request.length
        var isUnreadable = false
        let isSent = sender.sendInPieces { socket in
            unsafe Self.sendRead(socket, storage, memory, ready, offset, left, &isUnreadable)
        }
        if isUnreadable {
            faults.note(session.exportName)
            failure = "the storage could not be read in the middle of a reply, at byte \(request.offset) and behind it"
        }
        return isSent
    }

    /// Reads all that a READ wants, in vain but for the error; nothing waits in the output.
    private func tryToRead(_ request: NBDRequest) throws(BlockError) {
        var offset = request.offset
        var left = Int(request.length)
        while left > 0 {
            let piece = min(left, output.capacity)
            unsafe try storage.read(into: output.part(0, piece), at: offset)
            offset += UInt64(piece)
            left -= piece
        }
    }

    private func hasPlainRun(_ offset: UInt64, _ left: Int) -> Bool {
        guard let run = storage.plainFile(at: offset, length: left) else { return false }
        return run.length >= min(left, Self.directLength)
    }

    /// Sends `ready` bytes of `memory`, then the rest of a READ.
    private static func sendRead(
        _ socket: StreamSocket,
        _ storage: any BlockStorage,
        _ memory: UnsafeMutableRawBufferPointer,
        _ ready: Int,
        _ offset: UInt64,
        _ left: Int,
        _ isUnreadable: inout Bool
    ) -> Bool {
        var (ready, offset, left) = (ready, offset, left)
        do {
            while left > 0 {
                if let run = storage.plainFile(at: offset, length: left), run.length >= min(left, directLength) {
                    if ready > 0 {
                        unsafe try socket.send(UnsafeRawBufferPointer(rebasing: memory[..<ready]), moreFollows: true)
                        ready = 0
                    }
                    let outcome = socket.sendFile(run.descriptor, at: run.offset, length: run.length)
                    guard outcome == .sent else {
                        isUnreadable = outcome == .unreadable
                        return false
                    }
                    offset += UInt64(run.length)
                    left -= run.length
                    continue
                }
                if ready == memory.count {
                    unsafe try socket.send(UnsafeRawBufferPointer(memory), moreFollows: true)
                    ready = 0
                }
                let piece = min(left, memory.count - ready)
                unsafe try storage.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: memory[ready..<ready + piece]),
                    at: offset
                )
                ready += piece
                offset += UInt64(piece)
                left -= piece
            }
            if ready > 0 { unsafe try socket.send(UnsafeRawBufferPointer(rebasing: memory[..<ready])) }
            return true
        } catch {
            isUnreadable = error is BlockError
            return false
        }
    }

    private mutating func blockStatus(_ request: NBDRequest) -> Bool {
        let limit = request.flags.contains(.oneExtent) ? 1 : 1024
        let extents = storage.extents(at: request.offset, length: request.length, limit: limit)
        let states = extents.prefix(limit).map { extent in
            let state: NBDAllocationState = extent.isData ? [] : [.hole, .zero]
            return (length: extent.length, state: state)
        }
        return append(
            chunk.blockStatus(context: session.allocationContext ?? 0, to: request, extents: states)
        )
    }
}
