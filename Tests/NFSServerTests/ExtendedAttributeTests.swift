import CLinux
import FileTree
import Testing

@Suite("Extended attributes", .enabled(if: Fixture.isPossible, "needs root"))
struct ExtendedAttributeTests {
    @Test("Where there can be none, there are none: only making one is refused")
    func absence() throws {
        let directory = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(directory) }
        let key = try #require(HandleKey(bytes: Array(0..<16)))
        let tree = try FileTree(path: directory, identity: 1, key: key, cache: ObjectCache(capacity: 64))
        var thread = try ThreadIdentity()
        let caller = Caller(user: 0, group: 0, groups: [])
        let root = try tree.find([], on: &thread)
        let link = try tree.createLink(
            try FileName(Array("link".utf8)),
            to: [0x78],
            in: root,
            as: caller,
            on: &thread
        )
        #expect(try tree.attributeNames(of: link, as: caller, on: &thread).isEmpty)
        #expect(throws: TreeError(ENODATA)) { _ = try tree.attribute([0x61], of: link, as: caller, on: &thread) }
        #expect(throws: TreeError(EOPNOTSUPP)) {
            try tree.setAttribute([0x61], to: [1], flags: 0, of: link, as: caller, on: &thread)
        }
        let file = try tree.createFile(
            try FileName(Array("file".utf8)),
            mode: 0o644,
            in: root,
            as: caller,
            on: &thread
        )
        #expect(try tree.attributeNames(of: file, as: caller, on: &thread).isEmpty)
        #expect(throws: TreeError(ENODATA)) { _ = try tree.attribute([0x61], of: file, as: caller, on: &thread) }
    }
}
