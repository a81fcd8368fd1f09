public import XDR

/// Names an open, a set of locks or a delegation (stateid4, RFC 8881, section 8.2).
///
/// Its twelve opaque bytes are the server's epoch and a number that is never used twice in it.
public struct NFS4Stateid: Hashable, Sendable {
    /// Goes up with each change of what is named.
    public var sequence: UInt32
    /// Which run of the server gave it.
    public var epoch: UInt32
    /// What it names.
    public var number: UInt64

    /// A state of these parts.
    public init(sequence: UInt32, epoch: UInt32, number: UInt64) {
        self.sequence = sequence
        self.epoch = epoch
        self.number = number
    }

    /// Reads one.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        sequence = try reader.readUInt32()
        epoch = try reader.readUInt32()
        number = try reader.readUInt64()
    }

    /// Writes it.
    public func encode(into writer: inout XDRWriter) {
        writer.write(sequence)
        writer.write(epoch)
        writer.write(number)
    }

    /// All zeros: a reader or writer that opened nothing.
    public static let anonymous = NFS4Stateid(sequence: 0, epoch: 0, number: 0)
    /// All ones: a reader that no reservation holds off.
    public static let bypass = NFS4Stateid(sequence: .max, epoch: .max, number: .max)
    /// The one that an earlier operation of the compound gave.
    public static let current = NFS4Stateid(sequence: 1, epoch: 0, number: 0)
    /// One that names nothing for good.
    public static let invalid = NFS4Stateid(sequence: .max, epoch: 0, number: 0)

    /// Whether its opaque bytes are kept for special meanings.
    public var isSpecial: Bool { number == 0 && epoch == 0 || number == .max && epoch == .max }
}
