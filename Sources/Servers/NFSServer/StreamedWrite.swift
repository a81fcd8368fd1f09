import FileTree
import NFS3
import NetworkIO
import ONCRPC
import XDR

extension Conversation {
    /// The most bytes before the data of a WRITE: two names of 400 bytes, a handle, numbers.
    private static let writeHeadLimit = 1024

    /// A WRITE that is longer than the buffer, whose mark is at the front: its data go to the file as they come.
    ///
    /// Other calls of such a length do not exist. The reason when the connection is over.
    mutating func streamWrite(_ length: Int) -> String? {
        guard length <= Self.transferLimit + Self.writeHeadLimit else {
            server.logOnce(handle.peer, "sends a record of \(length) bytes")
            return "the client sends a record of \(length) bytes"
        }
        while have < RecordMarking.markSize + Self.writeHeadLimit {
            if let why = receive() { return why }
        }
        let record = unsafe RawSpan(
            _unsafeBytes: UnsafeRawBufferPointer(input.part(RecordMarking.markSize, Self.writeHeadLimit))
        )
        var reader = XDRReader(record)
        guard let call = try? RPCCall(decoding: &reader), call.program == NFS3.program, call.version == NFS3.version,
            call.procedure == NFS3Procedure.write.rawValue,
            credentials.use(call.flavor, record.extracting(call.credential)),
            let write = try? NFS3WriteCall(decoding: &reader),
            reader.offset + Int(write.length) + xdrPadding(Int(write.length)) == length
        else {
            server.logOnce(handle.peer, "sends a long record that is not a WRITE")
            return "the client sends a long record that is not a WRITE"
        }
        dropServed(RecordMarking.markSize + reader.offset)
        // The data may take long: who asked before need not wait, nor ask again should the connection be lost.
        if !unsettled.isEmpty || !unsettled4.isEmpty {
            guard sendOutput() else { return "the client does not take its replies" }
        }
        let outcome: Result<StreamedWrite, any Error>
        switch streamData(write, padding: xdrPadding(Int(write.length))) {
        case .done(let result): outcome = result
        case .broken(let why): return why
        }
        guard makeRoom(1024) else { return "the client does not take its replies" }
        var writer = unsafe XDRWriter(unsafely: output.part(filled, output.capacity - filled), behind: 4)
        RPCReply.encodeSuccess(xid: call.xid, into: &writer)
        let head = writer.count
        do {
            let done = try outcome.get()
            if write.stability != .unstable { try promise(done.object, done.context) }
            let after = NFS3Attributes(try done.object.attributes(), done.context)
            answerWrite(write, done.written, nil, after, &writer)
        } catch {
            writer.count = head
            let status = (error as? NFS3Failure)?.status ?? (error as? TreeError).map { NFS3Status($0) } ?? .serverFault
            writer.write(status.rawValue)
            writer.writeZeros(NFS3Procedure.write.failureWords)
        }
        let count = writer.count
        writer.replace(at: 0, with: RecordMarking.mark(length: count - 4))
        filled += count
        return nil
    }

    private struct StreamedWrite {
        var object: TreeObject
        var context: ExportContext
        var written = 0
    }

    private enum Streamed {
        case done(Result<StreamedWrite, any Error>)
        case broken(String)
    }

    /// Takes all the data and the padding off the stream, whether it can be written or not.
    private mutating func streamData(_ call: NFS3WriteCall, padding: Int) -> Streamed {
        var result = Result { () throws -> StreamedWrite in
            let (context, object) = try resolveToChange(call.handle)
            guard call.count == call.length else { throw NFS3Failure(.invalid) }
            return StreamedWrite(object: object, context: context)
        }
        var taken = 0
        let length = Int(call.length)
        while taken < length {
            let left = length - taken
            // Whole pages of the file where it can be.
            let piece = min(left, input.capacity - Int((call.offset &+ UInt64(taken)) % 4096))
            while have < piece {
                if handle.isStopped { return .broken("the server stops") }
                if let why = receive() { return .broken(why) }
            }
            if case .success(var done) = result, done.written == taken {
                do {
                    done.written += try writePiece(piece, call.offset &+ UInt64(taken), done)
                    result = .success(done)
                } catch {
                    if done.written == 0 { result = .failure(error) }
                }
            }
            dropServed(piece)
            taken += piece
        }
        while have < padding {
            if let why = receive() { return .broken(why) }
        }
        dropServed(padding)
        return .done(result)
    }

    private mutating func writePiece(_ count: Int, _ offset: UInt64, _ done: StreamedWrite) throws -> Int {
        done.object.lockChanges()
        defer { done.object.unlockChanges() }
        let before = try done.object.attributes()
        let file = try done.context.tree.writer(of: done.object, as: done.context.caller, before, on: &thread)
        try thread.become(done.context.caller)
        return unsafe try Self.write(UnsafeRawBufferPointer(input.part(0, count)), to: file, at: offset)
    }
}
