import CLinux
import Testing

@testable import FileTree

@Suite("The key of handles and what can be exported")
struct HandleKeyFileTests {
    private let directory: String

    init() throws {
        var template = Array("/tmp/diskless-tree-XXXXXX".utf8CString)
        try #require(unsafe mkdtemp(&template) != nil)
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func removeAll() {
        _ = unsafe unlink("\(directory)/key")
        _ = unsafe rmdir(directory)
    }

    @Test("A key is made once and is the same ever after; nobody else can read it")
    func kept() throws {
        defer { removeAll() }
        let path = "\(directory)/key"
        let first = try HandleKey.kept(at: path)
        let second = try HandleKey.kept(at: path)
        #expect(first.hash([1, 2, 3]) == second.hash([1, 2, 3]))
        var status = stat()
        #expect(unsafe stat(path, &status) == 0)
        #expect(status.st_size == 16 && status.st_mode & 0o777 == 0o600)
    }

    @Test("A key file that was cut is refused, not replaced")
    func cut() throws {
        defer { removeAll() }
        let path = "\(directory)/key"
        _ = try HandleKey.kept(at: path)
        #expect(unsafe truncate(path, 15) == 0)
        #expect(throws: TreeRefusal.self) { try HandleKey.kept(at: path) }
    }

    @Test("A file system without handles, a file and nothing are refused", .enabled(if: geteuid() == 0, "needs root"))
    func refusals() throws {
        defer { removeAll() }
        let key = try HandleKey.kept(at: "\(directory)/key")
        let cache = ObjectCache(capacity: 16)
        for path in ["/proc/sys", "\(directory)/key", "\(directory)/nothing"] {
            do {
                _ = try FileTree(path: path, identity: 1, key: key, cache: cache)
                Issue.record("\(path) is exported")
            } catch {
                #expect(error.description.contains(path))
                #expect(!error.description.contains("\n"))
            }
        }
    }
}
