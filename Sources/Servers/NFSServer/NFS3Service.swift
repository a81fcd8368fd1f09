import CLinux
import FileTree
import NFS3
import ONCRPC
import XDR

/// A procedure ends with a status that is not the kernel's.
struct NFS3Failure: Error {
    var status: NFS3Status
    /// The attributes of the file or directory in question, where the client can use them.
    var attributes: NFS3Attributes?

    init(_ status: NFS3Status, _ attributes: NFS3Attributes? = nil) {
        self.status = status
        self.attributes = attributes
    }
}

extension Conversation {
    /// One call of NFS version 3.
    mutating func serveNFS3(
        _ call: RPCCall,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) -> ReplyTail {
        guard let procedure = NFS3Procedure(rawValue: call.procedure) else {
            RPCReply.encodeAccepted(xid: call.xid, status: .procedureUnavailable, into: &writer)
            return .none
        }
        if !handle.isKnown { handle.setKnown() }
        let start = writer.count
        RPCReply.encodeSuccess(xid: call.xid, into: &writer)
        do {
            return try perform(procedure, &reader, &writer)
        } catch let error as TreeError {
            fail(procedure, NFS3Failure(NFS3Status(error)), start, &writer)
        } catch let failure as NFS3Failure {
            fail(procedure, failure, start, &writer)
        } catch {
            writer.count = start
            RPCReply.encodeAccepted(xid: call.xid, status: .garbageArguments, into: &writer)
        }
        return .none
    }

    private func fail(_ procedure: NFS3Procedure, _ failure: NFS3Failure, _ start: Int, _ writer: inout XDRWriter) {
        writer.count = start + RPCReply.headSize
        writer.write(failure.status.rawValue)
        guard failure.attributes != nil else { return writer.writeZeros(procedure.failureWords) }
        // Told only where one optional follows the status, or a change that did not happen.
        if procedure.failureWords == 2 { writer.write(false) }
        NFS3Attributes.encode(failure.attributes, into: &writer)
    }

    private mutating func perform(
        _ procedure: NFS3Procedure,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter
    ) throws -> ReplyTail {
        switch procedure {
        case .null: break
        case .getAttributes: try getAttributes(&reader, &writer)
        case .setAttributes: try setAttributes(&reader, &writer)
        case .lookup: try lookup(&reader, &writer)
        case .access: try access(&reader, &writer)
        case .readLink: try readLink(&reader, &writer)
        case .read: return try read(&reader, &writer)
        case .write: try write(&reader, &writer)
        case .create: try create(&reader, &writer)
        case .makeDirectory: try makeDirectory(&reader, &writer)
        case .symbolicLink: try symbolicLink(&reader, &writer)
        case .makeNode: try makeNode(&reader, &writer)
        case .remove: try remove(&reader, &writer, isDirectory: false)
        case .removeDirectory: try remove(&reader, &writer, isDirectory: true)
        case .rename: try rename(&reader, &writer)
        case .link: try link(&reader, &writer)
        case .readDirectory: try readDirectory(&reader, &writer, plus: false)
        case .readDirectoryPlus: try readDirectory(&reader, &writer, plus: true)
        case .fileSystemStatus: try fileSystemStatus(&reader, &writer)
        case .fileSystemInfo: try fileSystemInfo(&reader, &writer)
        case .pathConfiguration: try pathConfiguration(&reader, &writer)
        case .commit: try commit(&reader, &writer)
        }
        return .none
    }

    /// The file of a handle and the export it belongs to.
    mutating func resolve(_ handle: NFS3FileHandle) throws -> (ExportContext, TreeObject) {
        guard let handle = FileHandle(words: handle.words, count: handle.count) else { throw NFS3Failure(.badHandle) }
        // An export that went away looks to its clients as its files do when they are gone.
        guard let context = credentials.context(handle.export) else { throw NFS3Failure(.stale) }
        let object = try context.tree.object(handle, on: &thread)
        // What a client of version 4 was promised about the file it must give back first.
        if server.version4.mustWait(for: handle, client: nil, writes: false) { throw NFS3Failure(.tryLater) }
        return (context, object)
    }

    /// As `resolve`, for something that changes the file.
    mutating func resolveToChange(_ handle: NFS3FileHandle) throws -> (ExportContext, TreeObject) {
        let (context, object) = try resolve(handle)
        guard context.export.isWritable else { throw NFS3Failure(.readOnly) }
        if server.version4.mustWait(for: object.handle, client: nil, writes: true) { throw NFS3Failure(.tryLater) }
        return (context, object)
    }

    /// Throws JUKEBOX while somebody has to give back what was promised about the file behind a name.
    mutating func recallNamed(_ name: FileName, _ context: ExportContext, _ directory: TreeObject) throws {
        guard server.version4.hasDelegations,
            let (object, _) = try? context.tree.lookup(name, in: directory, as: context.caller, on: &thread)
        else { return }
        if server.version4.mustWait(for: object.handle, client: nil, writes: true) { throw NFS3Failure(.tryLater) }
    }
}

extension NFS3Status {
    /// The status for an error of the kernel.
    init(_ error: TreeError) {
        self =
            switch error.number {
            case EPERM: .notOwner
            case ENOENT: .noEntry
            case EIO: .inputOutput
            case ENXIO: .noDevice
            case EACCES: .accessDenied
            case EEXIST: .exists
            case EXDEV: .crossDevice
            case ENODEV: .wrongDevice
            case ENOTDIR: .notDirectory
            case EISDIR: .isDirectory
            case EINVAL, ELOOP: .invalid
            case EFBIG: .tooBig
            case ENOSPC: .noSpace
            case EROFS: .readOnly
            case EMLINK: .tooManyLinks
            case ENAMETOOLONG: .nameTooLong
            case ENOTEMPTY: .notEmpty
            case EDQUOT: .quota
            case ESTALE: .stale
            case EOPNOTSUPP: .notSupported
            case EBUSY, ETXTBSY: .accessDenied
            case ENOMEM, EMFILE, ENFILE, EAGAIN, EINTR: .tryLater
            case TreeError.badHandle.number: .badHandle
            case TreeError.notSynchronized.number: .notSynchronized
            default: .serverFault
            }
    }
}
