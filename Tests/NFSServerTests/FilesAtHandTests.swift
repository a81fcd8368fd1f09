import CLinux
import FileTree
import NFS3
import Testing
import XDR

@Suite("Files at hand", .enabled(if: Fixture.isPossible, "needs root"))
struct FilesAtHandTests {
    private static let other = Caller(user: 4321, group: 4321)

    /// A tree with files of three bytes, and their handles as a listing finds them, on a thread of its own.
    private static func withTree(
        _ files: Int,
        mode: mode_t = 0o644,
        cache: ObjectCache,
        _ body: @escaping @Sendable (FileTree, inout ThreadIdentity) throws -> Void
    ) throws {
        let directory = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(directory) }
        for file in 0..<files {
            let descriptor = unsafe clinux_open("\(directory)/file\(file)", O_CREAT | O_WRONLY, mode)
            #expect(unsafe write(descriptor, "abc", 3) == 3)
            close(descriptor)
        }
        let key = try #require(HandleKey(bytes: Array(0..<16)))
        let tree = try FileTree(path: directory, identity: 9, key: key, cache: cache)
        try SecondTreeTests.onThreadOfItsOwn {
            var thread = try ThreadIdentity()
            try body(tree, &thread)
        }
    }

    private static func list(_ tree: FileTree, on thread: inout ThreadIdentity) throws -> [TreeObject] {
        let top = try tree.object(tree.root, on: &thread)
        var room = [UInt8](repeating: 0, count: 32 << 10)
        var found: [TreeObject] = []
        _ = try tree.list(top, from: 0, as: .root, on: &thread, room: &room) { entry, opened, thread in
            if entry.name.byteCount > 2, let (object, _) = tree.object(of: entry, in: opened, as: .root, on: &thread) {
                found.append(object)
            }
            return true
        }
        return found
    }

    /// How many of these files were at hand when they were asked for, one after another.
    private static func ask(
        _ tree: FileTree,
        for handles: some Collection<FileHandle>,
        _ last: inout [WeakObject],
        on thread: inout ThreadIdentity
    ) throws -> Int {
        var hits = 0
        for (index, handle) in handles.enumerated() {
            // Held by the cache alone.
            if index < last.count, last[index].object != nil { hits += 1 }
            let object = WeakObject(try tree.object(handle, on: &thread))
            if index < last.count { last[index] = object } else { last.append(object) }
        }
        return hits
    }

    @Test("Most stay at hand when more files than fit are walked through again and again")
    func walk() throws {
        let cache = ObjectCache(capacity: 512)
        try Self.withTree(700, cache: cache) { tree, thread in
            let handles = try Self.list(tree, on: &thread).map(\.handle)
            #expect(handles.count == 700)
            var last: [WeakObject] = []
            _ = try Self.ask(tree, for: handles, &last, on: &thread)
            for _ in 0..<3 {
                // The oldest would make room just before it is asked for: none would be found then.
                #expect(try Self.ask(tree, for: handles, &last, on: &thread) > 300)
                #expect(cache.count <= 512)
            }
        }
    }

    @Test("What was not used for a while makes room for what is")
    func spare() throws {
        let cache = ObjectCache(capacity: 256)
        try Self.withTree(600, cache: cache) { tree, thread in
            let handles = try Self.list(tree, on: &thread).map(\.handle)
            for handle in handles[..<500] { _ = try tree.object(handle, on: &thread) }
            for _ in 0..<4 { cache.sweep() }
            var last: [WeakObject] = []
            _ = try Self.ask(tree, for: handles[500...], &last, on: &thread)
            #expect(try Self.ask(tree, for: handles[500...], &last, on: &thread) > 80)
        }
    }

    @Test("A file that is read keeps one descriptor, and each caller is asked for the right to")
    func reader() throws {
        try Self.withTree(1, mode: 0o600, cache: ObjectCache(capacity: 64)) { tree, thread in
            let object = try #require(try Self.list(tree, on: &thread).first)
            let denied = TreeError(EACCES)
            #expect(throws: denied) { _ = try tree.reader(of: object, as: Self.other, on: &thread) }
            let file = try tree.reader(of: object, as: .root, on: &thread)
            #expect(Self.contents(file) == Array("abc".utf8))
            #expect(throws: denied) { _ = try tree.reader(of: object, as: Self.other, on: &thread) }
            var open = NewAttributes()
            open.mode = 0o644
            try tree.set(open, of: object, as: .root, on: &thread)
            let theirs = try tree.reader(of: object, as: Self.other, on: &thread)
            #expect(theirs.number == file.number && Self.contents(theirs) == Array("abc".utf8))
            open.mode = 0o600
            try tree.set(open, of: object, as: .root, on: &thread)
            #expect(tree.isOutdated(object, try object.attributes()))
            #expect(throws: denied) { _ = try tree.reader(of: object, as: Self.other, on: &thread) }
            #expect(Self.contents(try tree.reader(of: object, as: .root, on: &thread)) == Array("abc".utf8))
        }
    }

    @Test("Only so many stay open for writing")
    func writers() throws {
        try Self.withTree(2, cache: ObjectCache(capacity: 64, writers: 1)) { tree, thread in
            let objects = try Self.list(tree, on: &thread)
            var kept: [Bool] = []
            for object in objects {
                let attributes = try object.attributes()
                let first = try tree.writer(of: object, as: .root, attributes, on: &thread)
                let second = try tree.writer(of: object, as: .root, attributes, on: &thread)
                #expect(unsafe pwrite(second.number, "x", 1, 0) == 1)
                kept.append(first === second)
            }
            #expect(kept == [true, false])
        }
    }

    @Test("A small file that has grown is read on to its end")
    func growth() throws {
        let fixture = try Fixture()
        let path = "\(fixture.directory)/file"
        let descriptor = unsafe clinux_open(path, O_CREAT | O_RDWR, 0o644)
        defer { close(descriptor) }
        #expect(unsafe write(descriptor, "abc", 3) == 3)
        let (status, rest) = try fixture.client.nfs(.lookup) {
            fixture.root.encode(into: &$0)
            $0.writeOpaque(Array("file".utf8))
        }
        #expect(status == .ok)
        var reader = unsafe XDRReader(rest.span.bytes)
        let handle = try NFS3FileHandle(decoding: &reader)
        #expect(try Self.read(fixture, handle, at: 0) == (Array("abc".utf8), true))
        let data = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(unsafe pwrite(descriptor, data, data.count, 0) == data.count)
        var (whole, isAtEnd, calls): ([UInt8], Bool, Int) = ([], false, 0)
        while !isAtEnd, calls < 20 {
            let (piece, end) = try Self.read(fixture, handle, at: UInt64(whole.count))
            guard !piece.isEmpty else { break }
            (whole, isAtEnd, calls) = (whole + piece, end, calls + 1)
        }
        #expect(whole == data && isAtEnd && calls <= 2)
    }

    private static func read(
        _ fixture: Fixture,
        _ handle: NFS3FileHandle,
        at offset: UInt64
    ) throws -> ([UInt8], Bool) {
        let (status, rest) = try fixture.client.nfs(.read) {
            handle.encode(into: &$0)
            $0.write(offset)
            $0.write(1 << 20 as UInt32)
        }
        guard status == .ok else { throw TestClient.Failure(what: "read \(status.rawValue)") }
        var reader = unsafe XDRReader(rest.span.bytes)
        _ = try reader.readBool()
        _ = try NFS3Attributes(decoding: &reader)
        _ = try reader.readUInt32()
        let isAtEnd = try reader.readBool()
        return (try reader.readBytes(limit: 1 << 20), isAtEnd)
    }

    private static func contents(_ file: TreeDescriptor) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = unsafe pread(file.number, &bytes, 16, 0)
        return Array(bytes.prefix(max(0, count)))
    }
}

private struct WeakObject {
    weak var object: TreeObject?
    init(_ object: TreeObject) { self.object = object }
}
