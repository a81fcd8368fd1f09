import ONCRPC
public import XDR

/// Calls of the server to its clients (RFC 8881, section 20; RFC 7530, section 17).
public enum NFS4Callback {
    /// CB_COMPOUND.
    public static let compound: UInt32 = 1
    /// The most bytes of any call here.
    public static let sizeLimit = 2048

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
        beginCompound(identifier, session, &writer)
        writer.write(NFS4CallbackOperation.recall)
        recall.stateid.encode(into: &writer)
        writer.write(recall.truncates)
        writer.writeOpaque(recall.handle)
    }

    /// Writes CB_GETATTR, likewise.
    public static func inquire(
        _ inquiry: NFS4Inquiry,
        identifier: UInt32,
        session: NFS4State.BackCall?,
        into writer: inout XDRWriter
    ) {
        beginCompound(identifier, session, &writer)
        writer.write(NFS4CallbackOperation.getAttributes)
        writer.writeOpaque(inquiry.handle)
        NFS4HeldAttributes.asked(times: inquiry.asksTimes).encode(into: &writer)
    }

    /// Writes CB_NOTIFY_LOCK, likewise.
    public static func notify(
        _ notice: NFS4LockNotice,
        identifier: UInt32,
        session: NFS4State.BackCall?,
        into writer: inout XDRWriter
    ) {
        beginCompound(identifier, session, &writer)
        writer.write(NFS4CallbackOperation.notifyLock)
        writer.writeOpaque(notice.handle)
        writer.write(notice.client)
        writer.writeOpaque(notice.owner)
    }

    /// The head of CB_COMPOUND for one operation, behind CB_SEQUENCE in a session.
    private static func beginCompound(
        _ identifier: UInt32,
        _ session: NFS4State.BackCall?,
        _ writer: inout XDRWriter
    ) {
        writer.writeOpaque([])
        writer.write(session?.minor ?? 0)
        writer.write(identifier)
        writer.write(session == nil ? 1 : 2 as UInt32)
        guard let session else { return }
        writer.write(NFS4CallbackOperation.sequence)
        session.session.encode(into: &writer)
        writer.write(session.sequence)
        writer.writeZeros(4)
    }

    /// What a client answered: the status of its compound; nil when that is no answer to a call that was understood.
    public static func status(of record: RawSpan) -> NFS4Status? {
        var reader = XDRReader(record)
        do throws(XDRError) {
            guard try isAccepted(&reader) else { return nil }
            // The answer to CB_NULL ends here.
            return reader.remaining == 0 ? .ok : NFS4Status(rawValue: try reader.readUInt32())
        } catch {
            return nil
        }
    }

    /// What a client answered to CB_GETATTR, behind CB_SEQUENCE or alone; nil when it is anything else, or says that it failed.
    public static func attributes(of record: RawSpan) -> NFS4HeldAttributes? {
        var reader = XDRReader(record)
        do throws(XDRError) {
            guard try isAccepted(&reader), try reader.readUInt32() == 0 else { return nil }
            _ = try reader.readOpaque(limit: NFS4.tagLimit)
            let count = try reader.readUInt32()
            guard count == 1 || count == 2 else { return nil }
            if count == 2 {
                guard try reader.readUInt32() == NFS4CallbackOperation.sequence, try reader.readUInt32() == 0 else {
                    return nil
                }
                // The session, and four numbers of its slot.
                _ = try reader.readFixedOpaque(16 + 4 * 4)
            }
            guard try reader.readUInt32() == NFS4CallbackOperation.getAttributes, try reader.readUInt32() == 0 else {
                return nil
            }
            let attributes = try NFS4HeldAttributes(decoding: &reader)
            return reader.remaining == 0 ? attributes : nil
        } catch {
            return nil
        }
    }

    /// Reads the head of a reply (RFC 5531, section 9); whether the call was understood.
    @_lifetime(reader: copy reader)
    private static func isAccepted(_ reader: inout XDRReader) throws(XDRError) -> Bool {
        _ = try reader.readUInt32()
        guard try reader.readUInt32() == 1, try reader.readUInt32() == 0 else { return false }
        _ = try reader.readUInt32()
        _ = try reader.readOpaque(limit: RPCCall.authLimit)
        return try reader.readUInt32() == 0
    }
}

/// Numbers of the operations that a client serves (nfs_cb_opnum4).
enum NFS4CallbackOperation {
    /// CB_GETATTR.
    static let getAttributes: UInt32 = 3
    /// CB_RECALL.
    static let recall: UInt32 = 4
    /// CB_SEQUENCE.
    static let sequence: UInt32 = 11
    /// CB_NOTIFY_LOCK.
    static let notifyLock: UInt32 = 13
}
