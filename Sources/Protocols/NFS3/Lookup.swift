public import XDR

/// A name in a directory (diropargs3): the arguments of LOOKUP, REMOVE and RMDIR (RFC 1813, sections 3.3.3, 3.3.12, 3.3.13).
public struct NFS3Name: Equatable, Sendable {
    /// The directory.
    public var directory: NFS3FileHandle
    /// The name in it: bytes, in no particular encoding.
    public var name: [UInt8]

    /// Reads them.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader) throws(XDRError) {
        directory = try NFS3FileHandle(decoding: &reader)
        name = try reader.readBytes(limit: NFS3.nameLimit)
    }

    /// Writes them, as a client does.
    public func encode(into writer: inout XDRWriter) {
        directory.encode(into: &writer)
        writer.writeOpaque(name)
    }
}
