import CLinux
import FileTree
import Testing

@Suite("Two trees of one directory", .enabled(if: Fixture.isPossible, "needs root"))
struct SecondTreeTests {
    @Test("They share a cache and handles, but no open files")
    func shared() throws {
        let directory = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(directory) }
        close(unsafe clinux_open("\(directory)/file", O_CREAT | O_WRONLY, 0o644))
        let key = try #require(HandleKey(bytes: Array(0..<16)))
        let cache = ObjectCache(capacity: 64)
        let trees = try (0..<2).map { _ in try FileTree(path: directory, identity: 9, key: key, cache: cache) }
        try Self.onThreadOfItsOwn {
            var thread = try ThreadIdentity()
            let name = try FileName(Array("file".utf8))
            var handles: [FileHandle] = []
            for tree in trees + trees {
                let top = try tree.object(tree.root, on: &thread)
                let (object, _) = try tree.lookup(name, in: top, as: .root, on: &thread)
                handles.append(object.handle)
                let other = try FileName(Array("other".utf8))
                try tree.rename(name, in: top, to: other, in: top, as: .root, on: &thread)
                try tree.link(object, as: name, in: top, as: .root, on: &thread)
                try tree.remove(other, isDirectory: false, in: top, as: .root, on: &thread)
            }
            #expect(handles.allSatisfy { $0 == handles[0] })
        }
    }

    /// Rights belong to a thread, which must not be one that others use.
    static func onThreadOfItsOwn(_ body: @escaping @Sendable () throws -> Void) throws {
        let box = ThreadBox(body)
        var thread = pthread_t()
        let argument = unsafe Unmanaged.passRetained(box).toOpaque()
        guard unsafe pthread_create(&thread, nil, runBoxed, argument) == 0 else { return }
        pthread_join(thread, nil)
        if let failure = box.failure { throw failure }
    }
}

// Written by the one thread before the other joins it.
private final class ThreadBox: @unchecked Sendable {
    let body: () throws -> Void
    var failure: (any Error)?
    init(_ body: @escaping () throws -> Void) { self.body = body }
}

private func runBoxed(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    let box = unsafe Unmanaged<ThreadBox>.fromOpaque(argument).takeRetainedValue()
    do { try box.body() } catch { box.failure = error }
    return nil
}
