import BlockStorage
import NBD

// Writes that arrived together are done together, where the storage gains by it.
extension TransmissionLoop {
    /// Keeps a WRITE for the storage to do with those that follow it; its data stay where they are until then.
    mutating func gather(_ request: NBDRequest, _ data: UnsafeRawBufferPointer) {
        gatheredRequests.append(request)
        unsafe gatheredWrites.append(BlockWrite(data, at: request.offset))
    }

    /// Does the writes that were gathered and answers them; false when the connection is broken.
    mutating func finishGathered() -> Bool {
        guard !gatheredRequests.isEmpty else { return true }
        defer {
            gatheredRequests.removeAll(keepingCapacity: true)
            gatheredWrites.removeAll(keepingCapacity: true)
        }
        do throws(BlockError) {
            try storage.write(together: gatheredWrites)
            room?.succeeded()
        } catch {
            // Which of them failed, and how, only doing them one by one tells. Those that were done are done again, in their
            // order: nobody was told of any, so whatever is seen meanwhile is right.
            for (index, request) in gatheredRequests.enumerated() {
                guard unsafe write(request, gatheredWrites[index].bytes) else { return false }
            }
            return true
        }
        for (index, request) in gatheredRequests.enumerated() {
            traffic.written += UInt64(unsafe gatheredWrites[index].bytes.count)
            guard finishChange(request, .none, "") else { return false }
        }
        return true
    }

    /// A WRITE of its own.
    mutating func write(_ request: NBDRequest, _ data: UnsafeRawBufferPointer) -> Bool {
        let storage = storage
        do throws(BlockError) {
            let isDone = try change { () throws(BlockError) in unsafe try storage.write(data, at: request.offset) }
            guard isDone else { return false }
        } catch { return reply(request, NBDErrorCode(errno: error.number), "write failed") }
        traffic.written += UInt64(data.count)
        return finishChange(request, .none, "")
    }
}
