import CLinux
import FileTree
import Testing

@Suite("Files removed on the server", .enabled(if: Fixture.isPossible, "needs root"))
struct RemovedFileTests {
    @Test("Are let go of when nobody uses them")
    func letGo() throws {
        let directory = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(directory) }
        close(unsafe clinux_open("\(directory)/file", O_CREAT | O_WRONLY, 0o644))
        let key = try #require(HandleKey(bytes: Array(0..<16)))
        let cache = ObjectCache(capacity: 64)
        let tree = try FileTree(path: directory, identity: 9, key: key, cache: cache)
        try SecondTreeTests.onThreadOfItsOwn {
            var thread = try ThreadIdentity()
            let top = try tree.object(tree.root, on: &thread)
            _ = try tree.lookup(try FileName(Array("file".utf8)), in: top, as: .root, on: &thread)
        }
        #expect(cache.count == 2)
        cache.sweep()
        cache.sweep()
        #expect(cache.count == 2)
        #expect(unsafe unlink("\(directory)/file") == 0)
        cache.sweep()
        #expect(cache.count == 1)
    }
}
