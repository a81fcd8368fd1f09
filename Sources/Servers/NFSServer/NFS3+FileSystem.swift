import CLinux
import FileTree
import NFS3
import XDR

extension Conversation {
    mutating func fileSystemStatus(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let (context, object) = try resolve(try NFS3FileHandle(decoding: &reader))
        let space = try context.tree.space()
        let unit = UInt64(space.f_frsize)
        var status = NFS3FileSystemStatus()
        status.totalBytes = UInt64(space.f_blocks) &* unit
        status.freeBytes = UInt64(space.f_bfree) &* unit
        status.availableBytes = UInt64(space.f_bavail) &* unit
        status.totalFiles = UInt64(space.f_files)
        status.freeFiles = UInt64(space.f_ffree)
        status.availableFiles = UInt64(space.f_favail)
        status.encode(NFS3Attributes(try object.attributes(), context), into: &writer)
    }

    mutating func fileSystemInfo(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let (context, object) = try resolve(try NFS3FileHandle(decoding: &reader))
        NFS3FileSystemInfo(transferSize: UInt32(Self.transferLimit), listingSize: UInt32(Self.listingLimit))
            .encode(NFS3Attributes(try object.attributes(), context), into: &writer)
    }

    mutating func pathConfiguration(_ reader: inout XDRReader, _ writer: inout XDRWriter) throws {
        let (context, object) = try resolve(try NFS3FileHandle(decoding: &reader))
        NFS3PathConfiguration(linkLimit: 32000, nameLimit: 255)
            .encode(NFS3Attributes(try object.attributes(), context), into: &writer)
    }
}
