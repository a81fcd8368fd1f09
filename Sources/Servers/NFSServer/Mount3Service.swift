import CLinux
import FileTree
import Logging
import NFS3
import NetworkTypes
import ONCRPC
import XDR

extension Conversation {
    /// One call of the MOUNT protocol.
    mutating func serveMount3(_ call: RPCCall, _ reader: inout XDRReader, _ writer: inout XDRWriter) {
        if Mount3.Procedure(rawValue: call.procedure) != nil { handle.setKnown() }
        Mount3Calls(server: server, peer: handle.peer, listingRoom: Self.listingLimit)
            .serve(call, &reader, &writer, on: &thread)
    }
}

/// The MOUNT protocol for one client, whatever its calls come over.
struct Mount3Calls {
    let server: NFSServer
    let peer: Endpoint
    /// Room for the list of exports, in bytes.
    let listingRoom: Int

    /// Serves one call.
    func serve(
        _ call: RPCCall,
        _ reader: inout XDRReader,
        _ writer: inout XDRWriter,
        on thread: inout ThreadIdentity
    ) {
        guard let procedure = Mount3.Procedure(rawValue: call.procedure) else {
            return RPCReply.encodeAccepted(xid: call.xid, status: .procedureUnavailable, into: &writer)
        }
        switch procedure {
        case .null, .unmountAll: RPCReply.encodeSuccess(xid: call.xid, into: &writer)
        case .unmount, .mount:
            guard let path = try? reader.readBytes(limit: Mount3.pathLimit) else {
                return RPCReply.encodeAccepted(xid: call.xid, status: .garbageArguments, into: &writer)
            }
            RPCReply.encodeSuccess(xid: call.xid, into: &writer)
            if procedure == .mount { mount(path, &writer, on: &thread) }
        case .dump:
            // Who has mounted what is not kept: clients forget to say goodbye.
            RPCReply.encodeSuccess(xid: call.xid, into: &writer)
            writer.write(false)
        case .exports:
            RPCReply.encodeSuccess(xid: call.xid, into: &writer)
            let paths = server.source.exports(for: peer).map { Array($0.path.utf8) }
            var room = listingRoom
            let fitting = paths.prefix {
                room -= $0.count + 16
                return room > 0
            }
            Mount3.encodeExports(Array(fitting), into: &writer)
        }
    }

    private func mount(_ path: [UInt8], _ writer: inout XDRWriter, on thread: inout ThreadIdentity) {
        let shown = Conversation.shown(path)
        do {
            let (exported, object) = try find(path, on: &thread)
            Mount3.encodeMounted(NFS3FileHandle(object.handle), into: &writer)
            server.logger.info("NFS mounted", metadata: ["peer": "\(peer)", "path": "\(shown)"])
            server.source.mounted(exported, by: peer)
        } catch {
            let status = Mount3.Status(error)
            writer.write(status.rawValue)
            server.logOnce(peer, "\(shown): status \(status.rawValue)", "NFS mount refused")
            server.source.refused(shown, to: peer)
        }
    }

    /// The directory at a path: of the export with the longest path that leads there, or below it; with that export's path.
    private func find(_ path: [UInt8], on thread: inout ThreadIdentity) throws -> (String, TreeObject) {
        let wanted = Self.components(path)
        var best: (path: String, length: Int)?
        for export in server.source.exports(for: peer) {
            let own = Self.components(Array(export.path.utf8))
            guard wanted.starts(with: own), own.count >= best?.length ?? 0 else { continue }
            best = (export.path, own.count)
        }
        guard let best, let export = server.source.export(at: best.path, for: peer, opens: true) else {
            throw TreeError(ENOENT)
        }
        let names = try wanted.dropFirst(best.length).map { try FileName(Array($0)) }
        let object = try export.tree.find(names, on: &thread)
        guard object.kind == .directory || !names.isEmpty else { throw TreeError(ENOTDIR) }
        return (best.path, object)
    }

    private static func components(_ path: [UInt8]) -> [ArraySlice<UInt8>] { path.split(separator: 0x2f) }
}

extension Conversation {
    /// A client's path for the log: nothing in it can be taken for something else.
    static func shown(_ path: [UInt8]) -> String {
        let text = String(decoding: path.prefix(200), as: UTF8.self)
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "?" : $0 }
            )
        )
    }
}

extension Mount3.Status {
    init(_ error: any Error) {
        self =
            switch (error as? TreeError)?.number {
            case ENOENT, ESTALE: .noEntry
            case ENOTDIR: .notDirectory
            case EACCES, EPERM, EXDEV: .accessDenied
            case ENAMETOOLONG: .nameTooLong
            case EIO: .inputOutput
            default: .serverFault
            }
    }
}
