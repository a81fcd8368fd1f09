import CLinux
import FileTree
import Testing

@Suite("Files found by their number", .enabled(if: Fixture.isPossible, "needs root"))
struct FileNumberTests {
    @Test("A name leads to the file that has it now, whatever had its number before")
    func reuse() throws {
        let directory = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(directory) }
        let key = try #require(HandleKey(bytes: Array(0..<16)))
        let cache = ObjectCache(capacity: 64)
        let tree = try FileTree(path: directory, identity: 9, key: key, cache: cache)
        try SecondTreeTests.onThreadOfItsOwn {
            var thread = try ThreadIdentity()
            let top = try tree.object(tree.root, on: &thread)
            let (name, other) = (try FileName(Array("file".utf8)), try FileName(Array("other".utf8)))
            var old: FileHandle?
            // More files than the cache holds; the file system gives numbers out again.
            for round in 0..<300 {
                let made = try tree.createFile(name, mode: 0o644, in: top, as: .root, on: &thread)
                let (found, attributes) = try tree.lookup(name, in: top, as: .root, on: &thread)
                #expect(found.handle == made.handle && attributes.status.st_nlink == 1)
                if let old {
                    #expect(old != made.handle)
                    #expect(throws: TreeError.stale) { _ = try tree.object(old, on: &thread).attributes() }
                }
                if round % 3 == 0 {
                    // Another file takes the name: the number at hand is not the one behind it.
                    let second = try tree.createFile(other, mode: 0o600, in: top, as: .root, on: &thread)
                    try tree.rename(other, in: top, to: name, in: top, as: .root, on: &thread)
                    #expect(try tree.lookup(name, in: top, as: .root, on: &thread).0.handle == second.handle)
                    old = second.handle
                } else {
                    old = made.handle
                }
                // Behind our back, too.
                #expect(unsafe unlink("\(directory)/file") == 0)
                cache.sweep()
            }
        }
    }
}
