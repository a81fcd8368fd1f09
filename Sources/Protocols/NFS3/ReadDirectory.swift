public import XDR

/// The arguments of READDIR and READDIRPLUS (RFC 1813, sections 3.3.16 and 3.3.17).
public struct NFS3ReadDirectoryCall: Equatable, Sendable {
    /// The directory.
    public var handle: NFS3FileHandle
    /// Behind which entry to begin; 0 for the first.
    public var cookie: UInt64
    /// From the reply that gave the cookie.
    public var verifier: UInt64
    /// For READDIRPLUS: how many bytes of names, numbers and cookies at most; else as `limit`.
    public var nameLimit: UInt32
    /// How many bytes of result at most.
    public var limit: UInt32

    /// Reads them, in the form with or without attributes.
    @_lifetime(reader: copy reader)
    public init(decoding reader: inout XDRReader, plus: Bool) throws(XDRError) {
        handle = try NFS3FileHandle(decoding: &reader)
        cookie = try reader.readUInt64()
        verifier = try reader.readUInt64()
        nameLimit = try reader.readUInt32()
        limit = plus ? try reader.readUInt32() : nameLimit
    }
}

/// Writes the entries of a directory listing until no further one fits.
public struct NFS3DirectoryListing {
    /// Whether entries carry attributes and handles.
    public let plus: Bool
    /// How many entries were written.
    public private(set) var entries = 0
    private let end: Int
    private var nameRoom: Int

    /// Bytes behind the last entry: the end of the list, and whether the directory ends there.
    static let tail = 8

    /// Begins a listing; `limit` and `nameLimit` as in the call, the head of the RPC reply not counted.
    public init(
        _ call: NFS3ReadDirectoryCall,
        plus: Bool,
        directory: NFS3Attributes?,
        maximum: Int,
        into writer: inout XDRWriter
    ) {
        self.plus = plus
        let start = writer.count
        end = min(writer.capacity, start + min(Int(call.limit), maximum))
        nameRoom = Int(call.nameLimit)
        writer.write(NFS3Status.ok.rawValue)
        NFS3Attributes.encode(directory, into: &writer)
        writer.write(0 as UInt64)
    }

    /// Whether an entry with a name of this length surely fits no more.
    public func isFull(nameLength: Int, handleLength: Int, _ writer: borrowing XDRWriter) -> Bool {
        let names = 24 + nameLength + xdrPadding(nameLength)
        let more = plus ? 8 + NFS3Attributes.size + 4 + handleLength + xdrPadding(handleLength) : 0
        return writer.count + names + more + Self.tail > end || (plus && names > nameRoom && entries > 0)
    }

    /// Writes an entry, which must fit (`isFull`); `cookie` leads to the one behind it.
    public mutating func append(
        file: UInt64,
        name: RawSpan,
        cookie: UInt64,
        attributes: NFS3Attributes?,
        handle: NFS3FileHandle?,
        into writer: inout XDRWriter
    ) {
        writer.write(true)
        writer.write(file)
        writer.writeOpaque(name)
        writer.write(cookie)
        nameRoom -= 24 + name.byteCount + xdrPadding(name.byteCount)
        entries += 1
        guard plus else { return }
        NFS3Attributes.encode(attributes, into: &writer)
        writer.write(handle != nil)
        handle?.encode(into: &writer)
    }

    /// Ends the listing.
    public func finish(isAtEnd: Bool, into writer: inout XDRWriter) {
        writer.write(false)
        writer.write(isAtEnd)
    }
}
