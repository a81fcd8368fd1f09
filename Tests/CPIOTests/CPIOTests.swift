import Testing

@testable import CPIO

@Suite struct CPIOTests {
    private static var sample: [CPIOEntry] {
        var link = CPIOEntry.link("bin/sh", to: "busybox")
        link.owner = 7
        link.group = 8
        link.modified = 1_700_000_000
        return [
            .directory("bin"), .file("bin/busybox", [1, 2, 3, 4, 5], permissions: 0o4755), link,
            .file("bin/empty", []), .characterDevice("dev/console", major: 5, minor: 1, permissions: 0o600),
            .file("größe", Array("x".utf8)),
        ]
    }

    private static func archive(_ entries: [CPIOEntry]) throws -> [UInt8] {
        var writer = CPIOWriter()
        for entry in entries { try writer.add(entry) }
        return writer.finish()
    }

    private static func read(_ bytes: [UInt8]) throws -> [CPIOEntry] { try CPIOReader.entries(of: bytes.span) }

    @Test func whatIsWrittenIsRead() throws {
        let bytes = try Self.archive(Self.sample)
        #expect(bytes.count.isMultiple(of: 4))
        #expect(try Self.read(bytes) == Self.sample)
    }

    @Test func aHeaderHasItsFields() throws {
        var entry = CPIOEntry.file("ab", [0xff])
        entry.owner = 0x1a
        let bytes = try Self.archive([entry])
        #expect(
            String(decoding: bytes.prefix(116), as: UTF8.self)
                == "070701" + "00000001" + "000081A4" + "0000001A" + "00000000" + "00000001" + "00000000" + "00000001"
                + "00000000" + "00000000" + "00000000" + "00000000" + "00000003" + "00000000" + "ab\0" + "\0\0\0"
        )
    }

    @Test func archivesFollowEachOther() throws {
        let zeros: [UInt8] = Array(repeating: 0, count: 508)
        let bytes = try Self.archive(Self.sample) + zeros + Self.archive([.directory("etc")])
        #expect(try Self.read(bytes) == Self.sample + [.directory("etc")])
    }

    @Test func theSameEntriesGiveTheSameBytes() throws {
        #expect(try Self.archive(Self.sample) == Self.archive(Self.sample))
    }

    @Test(arguments: ["", "a\0b", String(repeating: "a", count: 4096)])
    func refusesAPath(_ path: String) {
        #expect(throws: CPIOError.badPath(path)) { try Self.archive([.file(path, [])]) }
    }

    @Test func everyCutIsNoticed() throws {
        let bytes = try Self.archive(Self.sample)
        for length in 1..<(bytes.count - 3) {
            #expect(throws: CPIOError.self) { try Self.read(Array(bytes.prefix(length))) }
        }
        #expect(try Self.read([]).isEmpty)
    }

    @Test func everyChangedByteIsReadOrRefused() throws {
        let bytes = try Self.archive(Self.sample)
        for index in bytes.indices {
            for value in [0, 0x30, 0x46, 0xff] as [UInt8] {
                var changed = bytes
                changed[index] = value
                _ = try? Self.read(changed)
            }
        }
    }
}
