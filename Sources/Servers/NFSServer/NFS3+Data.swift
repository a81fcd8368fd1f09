import CLinux
import FileTree
import NFS3
import ONCRPC
import XDR

extension Conversation {
    mutating func read(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws -> ReplyTail {
        let call = try NFS3ReadCall(decoding: &reader)
        let (context, object) = try resolve(call.handle)
        guard let offset = off_t(exactly: call.offset) else { throw NFS3Failure(.invalid) }
        var wanted = min(Int(call.count), Self.transferLimit)
        // When a disk fails, all goes the way on which its errors can be told.
        if server.isCareful { wanted = min(wanted, Self.directLength) }
        for _ in 0..<3 {
            let file = try context.tree.reader(of: object, as: context.caller, on: &thread)
            // A file that has grown since gives less than was asked for, which clients take.
            if wanted > Self.directLength, object.lastSize <= UInt64(offset) + UInt64(Self.directLength) {
                wanted = Self.directLength
            }
            if wanted > Self.directLength {
                let attributes = try FileAttributes.of(file)
                if context.tree.isOutdated(object, attributes) { continue }
                // Clients ask for more than small files have; those go out with the other replies.
                if attributes.size > UInt64(offset) + UInt64(Self.directLength) {
                    return try readDirect(file, offset, wanted, NFS3Attributes(attributes, context), &writer)
                }
                wanted = Self.directLength
            }
            guard let room = unsafe writer.spare(NFS3ReadReply.headSize + wanted) else {
                throw NFS3Failure(.tooSmall)
            }
            let count = unsafe clinux_pread(
                file.number,
                room.baseAddress.map { unsafe $0 + NFS3ReadReply.headSize },
                wanted,
                offset
            )
            guard count >= 0 else { throw TreeError() }
            let attributes = try FileAttributes.of(file)
            if context.tree.isOutdated(object, attributes) { continue }
            guard attributes.status.st_nlink > 0 else { throw TreeError.stale }
            object.noteSize(attributes)
            let isAtEnd = UInt64(offset) + UInt64(count) >= attributes.size
            NFS3ReadReply.encode(NFS3Attributes(attributes, context), count: count, isAtEnd: isAtEnd, into: &writer)
            writer.count += count
            writer.pad(count)
            return .none
        }
        throw NFS3Failure(.tryLater)
    }

    private func readDirect(
        _ file: TreeDescriptor,
        _ offset: off_t,
        _ wanted: Int,
        _ attributes: NFS3Attributes,
        _ writer: inout XDRWriter
    ) throws -> ReplyTail {
        guard attributes.links > 0 else { throw TreeError.stale }
        let start = UInt64(offset)
        let left = attributes.size > start ? attributes.size - start : 0
        let count = Int(min(UInt64(wanted), left))
        NFS3ReadReply.encode(attributes, count: count, isAtEnd: UInt64(count) == left, into: &writer)
        return count > 0 ? .file(file, offset: start, count: count) : .none
    }

    mutating func write(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let call = try NFS3WriteCall(decoding: &reader)
        let data = try reader.readFixedOpaque(Int(call.length))
        let (context, object) = try resolveToChange(call.handle)
        guard call.count <= Self.transferLimit else { throw NFS3Failure(.invalid) }
        object.lockChanges()
        defer { object.unlockChanges() }
        let before = try object.attributes()
        let file = try context.tree.writer(of: object, as: context.caller, before, on: &thread)
        try thread.become(context.caller)
        let written = try unsafe data.extracting(0..<Int(call.count)).withUnsafeBytes {
            unsafe try Self.write($0, to: file, at: call.offset)
        }
        if call.stability != .unstable { try promise(object, context) }
        let after = NFS3Attributes(try object.attributes(), context)
        answerWrite(call, written, NFS3Attributes(before, context).beforeChange, after, &writer)
    }

    /// Writes all of it, or as much as goes; throws when nothing goes.
    static func write(
        _ data: UnsafeRawBufferPointer,
        to file: TreeDescriptor,
        at offset: UInt64
    ) throws(TreeError) -> Int {
        guard let start = off_t(exactly: offset), off_t.max - start >= off_t(data.count) else { throw TreeError(EFBIG) }
        var written = 0
        while written < data.count {
            let count = unsafe pwrite(
                file.number,
                data.baseAddress.map { unsafe $0 + written },
                data.count - written,
                start + off_t(written)
            )
            guard count > 0 else {
                let number = clinux_errno()
                if count < 0, number == EINTR { continue }
                // What was written is told; the client comes again with the rest, and to the error.
                guard written == 0 else { break }
                throw TreeError(count == 0 ? EIO : number)
            }
            written += count
        }
        return written
    }

    func answerWrite(
        _ call: NFS3WriteCall,
        _ written: Int,
        _ before: NFS3BeforeChange?,
        _ after: NFS3Attributes?,
        _ writer: inout XDRWriter
    ) {
        writer.write(NFS3Status.ok.rawValue)
        NFS3BeforeChange.encode(before: before, after: after, into: &writer)
        writer.write(UInt32(written))
        writer.write(call.stability.rawValue == 0 ? 0 : NFS3Stability.fileSync.rawValue)
        writer.write(server.writeVerifier)
    }

    mutating func commit(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let call = try NFS3CommitCall(decoding: &reader)
        let (context, object) = try resolve(call.handle)
        // Taken before: a failure on another connection meanwhile must show.
        let verifier = server.writeVerifier
        if !context.export.isVolatile {
            do throws(TreeError) { try context.tree.sync(object, on: &thread) } catch {
                server.storageFailed(error)
                throw error
            }
        }
        let after = NFS3Attributes(try object.attributes(), context)
        writer.write(NFS3Status.ok.rawValue)
        NFS3BeforeChange.encode(before: nil, after: after, into: &writer)
        writer.write(verifier)
    }
}
