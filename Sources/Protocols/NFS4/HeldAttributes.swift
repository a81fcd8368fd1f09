public import XDR

/// What the holder of a write delegation says of its file (CB_GETATTR; RFC 8881, section 20.1; RFC 7530, section 16.1).
public struct NFS4HeldAttributes: Equatable, Sendable {
    /// The number it was given with the delegation, or another one when it holds changes.
    public var change: UInt64
    /// Bytes, with what it has not written back.
    public var size: UInt64
    /// Last reading; of who keeps the times (RFC 9754, section 5).
    public var accessed: NFS4Time?
    /// Last change, likewise.
    public var modified: NFS4Time?

    /// What a holder says.
    public init(change: UInt64, size: UInt64, accessed: NFS4Time? = nil, modified: NFS4Time? = nil) {
        self.change = change
        self.size = size
        self.accessed = accessed
        self.modified = modified
    }

    /// Which attributes a holder is asked for.
    public static func asked(times: Bool) -> NFS4Bitmap { times ? .held.union(.delegatedTimes) : .held }

    /// Reads what was answered (fattr4); change and size must be there, and nothing but the two times beside them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        let start = reader.offset
        let told = try NFS4Bitmap(decoding: &reader)
        guard told.intersection(.held) == .held, told.subtracting(Self.asked(times: true)).isEmpty else {
            throw .invalid(offset: start, value: UInt32(truncatingIfNeeded: told.low))
        }
        let place = reader.offset
        let length = try reader.readUInt32()
        let first = reader.offset
        change = try reader.readUInt64()
        size = try reader.readUInt64()
        if told.contains(.delegatedAccess) { accessed = try Self.time(&reader) }
        if told.contains(.delegatedModify) { modified = try Self.time(&reader) }
        guard reader.offset - first == Int(length) else { throw .invalid(offset: place, value: length) }
        // Longer than any file that could be written back.
        guard size <= UInt64(Int64.max) else { throw .invalid(offset: first, value: UInt32(size >> 32)) }
    }

    @_lifetime(reader: copy reader)
    private static func time(_ reader: inout XDRReader) throws(XDRError) -> NFS4Time {
        let start = reader.offset
        let time = try NFS4Time(decoding: &reader)
        guard time.nanoseconds < 1_000_000_000 else { throw .invalid(offset: start, value: time.nanoseconds) }
        return time
    }

    /// Writes what is answered (fattr4).
    public func encode(into writer: inout XDRWriter) {
        var told = NFS4Bitmap.held
        if accessed != nil { told.insert(.delegatedAccess) }
        if modified != nil { told.insert(.delegatedModify) }
        told.encode(into: &writer)
        let start = writer.count
        writer.write(0 as UInt32)
        writer.write(change)
        writer.write(size)
        accessed?.encode(into: &writer)
        modified?.encode(into: &writer)
        writer.replace(at: start, with: UInt32(writer.count - start - 4))
    }

    /// Whether the holder has changed the file, which the server knows as `own` (RFC 8881, section 10.4.3).
    ///
    /// `given` is the change attribute at the time of the delegation. A holder that was told a newer one since may go by that.
    public func isModified(since given: UInt64, _ own: NFS4Attributes) -> Bool {
        size != own.size || change != given && change != own.change
    }

    /// The time of the last change to be told of a file that has changed at its holder, no earlier than `own` is now and not
    /// after `now`; nil says that nothing better is known than `now`.
    public func modified(after own: NFS4Time, now: NFS4Time) -> NFS4Time? {
        guard let modified, modified <= now else { return nil }
        return max(modified, own)
    }
}

extension NFS4Time: Comparable {
    /// Which one is earlier.
    public static func < (one: Self, other: Self) -> Bool {
        (one.seconds, one.nanoseconds) < (other.seconds, other.nanoseconds)
    }
}
