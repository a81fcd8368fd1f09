import ONCRPC
public import XDR

/// Calls of the server to its clients (RFC 8881, section 20; RFC 7530, section 17).
public enum NFS4Callback {
    /// CB_COMPOUND.
    public static let compound: UInt32 = 1
    /// The most bytes of any call here.
    public static let sizeLimit = 1024

    /// Writes a record with the head of a call; `user` and `group` sign it, nil does not.
    ///
    /// To be ended with `finish`.
    public static func begin(
        xid: UInt32,
        program: UInt32,
        procedure: UInt32,
        security: NFS4CallbackSecurity,
        into writer: inout XDRWriter
    ) {
        for word in [0, xid, 0, RPCCall.protocolVersion, program, 1, procedure] { writer.write(word) }
        if let user = security.user {
            writer.write(RPCAuthFlavor.sys.rawValue)
            let length = writer.count
            writer.write(0 as UInt32)
            RPCSystemCredential(user: user, group: security.group).encode(into: &writer)
            writer.replace(at: length, with: UInt32(writer.count - length - 4))
        } else {
            writer.writeZeros(2)
        }
        writer.writeZeros(2)
    }

    /// Writes the length of the record in front.
    public static func finish(_ writer: inout XDRWriter) {
        writer.replace(at: 0, with: RecordMarking.mark(length: writer.count - 4))
    }

    /// Writes CB_RECALL behind a head; with the number of a session's call, CB_SEQUENCE before it.
    public static func recall(
        _ recall: NFS4Recall,
        identifier: UInt32,
        session: NFS4State.BackCall?,
        into writer: inout XDRWriter
    ) {
        writer.writeOpaque([])
        writer.write(session?.minor ?? 0)
        writer.write(identifier)
        writer.write(session == nil ? 1 : 2 as UInt32)
        if let session {
            writer.write(11 as UInt32)
            session.session.encode(into: &writer)
            writer.write(session.sequence)
            writer.writeZeros(4)
        }
        writer.write(4 as UInt32)
        recall.stateid.encode(into: &writer)
        writer.write(recall.truncates)
        writer.writeOpaque(recall.handle)
    }

    /// What a client answered: the status of its compound; nil when that is no answer to a call that was understood.
    public static func status(of record: RawSpan) -> NFS4Status? {
        var reader = XDRReader(record)
        do throws(XDRError) {
            _ = try reader.readUInt32()
            guard try reader.readUInt32() == 1, try reader.readUInt32() == 0 else { return nil }
            _ = try reader.readUInt32()
            _ = try reader.readOpaque(limit: RPCCall.authLimit)
            guard try reader.readUInt32() == 0 else { return nil }
            // The answer to CB_NULL ends here.
            return reader.remaining == 0 ? .ok : NFS4Status(rawValue: try reader.readUInt32())
        } catch {
            return nil
        }
    }
}
