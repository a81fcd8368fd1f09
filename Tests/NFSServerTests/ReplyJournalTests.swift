import CLinux
import FileTree
import NFS3
import NetworkTypes
import ONCRPC
import Testing
import XDR

@testable import NFSServer

/// What a server that was killed had done without telling.
@Suite("Replies that outlive a kill", .enabled(if: Fixture.isPossible, "needs root"))
struct ReplyJournalTests {
    private static let boot = Array("this boot".utf8)

    private func withFile<Result>(_ body: (String) throws -> Result) throws -> Result {
        let directory = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(directory) }
        return try body("\(directory)/nfs-replies")
    }

    private func reply(_ answer: ReplyCache.Answer) -> [UInt8]? {
        if case .known(let reply) = answer { reply } else { nil }
    }

    private func mayBeDone(_ answer: ReplyCache.Answer) -> Bool? {
        if case .new(let mayBeDone) = answer { mayBeDone } else { nil }
    }

    @Test("What was done is answered, what was begun may be done, what was forgotten is new")
    func states() throws {
        try withFile { path in
            let key: UInt64
            do {
                let cache = ReplyCache(journal: try ReplyJournal(at: path, boot: Self.boot))
                key = cache.key([1, 2, 3])
                for number in [10, 11, 12, 13] as [UInt64] {
                    #expect(mayBeDone(cache.begin(number, isLasting: true)) == false)
                }
                #expect(mayBeDone(cache.begin(14, isLasting: false)) == false)
                for number in [10, 11, 12] as [UInt64] { cache.done(number, [UInt8(number)]) }
                cache.done(14, [14])
                cache.settle([(10, [10]), (14, [14])])
                cache.forget([12])
            }
            let cache = ReplyCache(journal: try ReplyJournal(at: path, boot: Self.boot))
            #expect(cache.key([1, 2, 3]) == key && cache.key([1, 2]) != key)
            #expect(reply(cache.begin(10, isLasting: true)) == [10])
            #expect(reply(cache.begin(11, isLasting: true)) == [11], "done, though not on the disk when it was killed")
            #expect(mayBeDone(cache.begin(12, isLasting: true)) == false)
            #expect(mayBeDone(cache.begin(13, isLasting: true)) == true)
            #expect(mayBeDone(cache.begin(14, isLasting: false)) == false, "of one run")
        }
    }

    @Test("Another boot knows nothing of it, nor does a file that is something else")
    func otherBoots() throws {
        try withFile { path in
            do {
                let cache = ReplyCache(journal: try ReplyJournal(at: path, boot: Self.boot))
                _ = cache.begin(10, isLasting: true)
                cache.done(10, [10])
            }
            let journal = try ReplyJournal(at: path, boot: Array("that boot".utf8))
            #expect(journal.entries.isEmpty)
            _ = consume journal
            let file = unsafe clinux_open(path, O_WRONLY | O_TRUNC, 0)
            let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            #expect(unsafe write(file, bytes, bytes.count) == bytes.count)
            close(file)
            #expect(try ReplyJournal(at: path, boot: Self.boot).entries.isEmpty)
        }
        #expect(throws: TreeError(ENOENT)) { _ = try ReplyJournal(at: "/nowhere/file", boot: Self.boot).entries.count }
    }

    @Test("It keeps the newest, in their order")
    func ring() throws {
        try withFile { path in
            let count = UInt64(ReplyJournal.capacity + 100)
            do {
                var journal = try ReplyJournal(at: path, boot: Self.boot)
                for key in 1...count {
                    journal.begin(key)
                    journal.done(key, [UInt8](repeating: 7, count: key == count ? ReplyJournal.replyLimit + 1 : 300))
                    journal.settle(key)
                }
            }
            let entries = try ReplyJournal(at: path, boot: Self.boot).entries
            #expect(entries.map(\.key) == Array(101...count))
            #expect(entries.last?.reply.isEmpty == true, "too long to be kept")
        }
    }

    @Test("A client that asks the next server again gets the same replies")
    func restart() throws {
        let directory = try Fixture.temporaryDirectory()
        let state = try Fixture.temporaryDirectory()
        defer {
            Fixture.removeAll(directory)
            Fixture.removeAll(state)
        }
        close(unsafe clinux_open("\(directory)/a", O_CREAT | O_WRONLY, 0o644))
        let (first, tree) = try Fixture.serve(directory, journal: "\(state)/nfs-replies")
        let client = try TestClient(first.endpoint)
        let root = try Fixture.mount(client, directory)
        let calls = [
            client.call(NFS3.program, NFS3.version, NFS3Procedure.rename.rawValue) {
                root.encode(into: &$0)
                $0.writeOpaque(Array("a".utf8))
                root.encode(into: &$0)
                $0.writeOpaque(Array("b".utf8))
            },
            client.call(NFS3.program, NFS3.version, NFS3Procedure.remove.rawValue) {
                root.encode(into: &$0)
                $0.writeOpaque(Array("b".utf8))
            },
        ]
        let replies = try calls.map { call in
            try client.send(call)
            return try client.reply()
        }
        #expect(replies.allSatisfy { $0[24..<28] == [0, 0, 0, 0] })
        first.stop(seconds: 1)
        withExtendedLifetime(tree) {}

        let (second, again) = try Fixture.serve(directory, journal: "\(state)/nfs-replies")
        defer { second.stop(seconds: 1) }
        let other = try TestClient(second.endpoint)
        for (call, reply) in zip(calls, replies) {
            try other.send(call)
            #expect(try other.reply() == reply)
        }
        withExtendedLifetime(again) {}
    }

    @Test("What a killed server may have done is found done")
    func mayBeDone() throws {
        let directory = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(directory) }
        let key = try #require(HandleKey(bytes: Array(0..<16)))
        let cache = ObjectCache(capacity: 64)
        let tree = try FileTree(path: directory, identity: 1, key: key, cache: cache)
        // A thread of its own: its rights are changed.
        var thread = try ThreadIdentity()
        let caller = Caller(user: 0, group: 0, groups: [])
        let root = try tree.find([], on: &thread)
        func name(_ text: String) throws -> FileName { try FileName(Array(text.utf8)) }
        let file = try tree.createFile(try name("file"), mode: 0o644, in: root, as: caller, on: &thread)
        try tree.link(file, as: try name("link"), in: root, as: caller, on: &thread)
        _ = try tree.createDirectory(try name("directory"), mode: 0o755, in: root, as: caller, on: &thread)
        _ = try tree.createLink(try name("symbolic"), to: [0x78], in: root, as: caller, on: &thread)
        func repeatAll() throws {
            #expect(
                try tree.createFile(try name("file"), mode: 0o644, in: root, as: caller, on: &thread).handle
                    == file.handle
            )
            try tree.link(file, as: try name("link"), in: root, as: caller, on: &thread)
            _ = try tree.createDirectory(try name("directory"), mode: 0o755, in: root, as: caller, on: &thread)
            _ = try tree.createLink(try name("symbolic"), to: [0x78], in: root, as: caller, on: &thread)
            try tree.rename(try name("gone"), in: root, to: try name("file"), in: root, as: caller, on: &thread)
            try tree.remove(try name("gone"), isDirectory: false, in: root, as: caller, on: &thread)
        }
        thread.mayBeDone = true
        try repeatAll()
        // Something else under the name, or nothing under the new one, is no work of ours.
        #expect(throws: TreeError(EEXIST)) {
            _ = try tree.createDirectory(try name("file"), mode: 0o755, in: root, as: caller, on: &thread)
        }
        #expect(throws: TreeError(EEXIST)) {
            try tree.link(file, as: try name("symbolic"), in: root, as: caller, on: &thread)
        }
        #expect(throws: TreeError(ENOENT)) {
            try tree.rename(try name("gone"), in: root, to: try name("none"), in: root, as: caller, on: &thread)
        }
        thread.mayBeDone = false
        #expect(throws: TreeError(EEXIST)) { try repeatAll() }
        #expect(throws: TreeError(ENOENT)) {
            try tree.remove(try name("gone"), isDirectory: false, in: root, as: caller, on: &thread)
        }
    }
}
