import CLinux
import FileTree
import Logging
import NFS4
import NetworkTypes
import Testing
import XDR

@testable import NFSServer

@Suite("Access lists over TCP", .enabled(if: Fixture.isPossible, "needs root"))
struct AccessListTests {
    /// GETATTR or SETATTR of the list of a path; the bytes are those behind the walk.
    private func ask(_ session: TestSession, _ path: String, sets list: [UInt32]? = nil) throws -> TestSession.Answer {
        let length = UInt32(path.split(separator: "/").count) + 1
        var answer = try session.send(length + 1) {
            _ = TestSession.walk(path, &$0)
            guard let list else {
                for word in [NFS4Operation.getAttributes.rawValue, 1, 1 << 12] as [UInt32] { $0.write(word) }
                return
            }
            $0.write(NFS4Operation.setAttributes.rawValue)
            NFS4Stateid.anonymous.encode(into: &$0)
            for word in [1, 1 << 12, UInt32(list.count * 4)] as [UInt32] { $0.write(word) }
            for word in list { $0.write(word) }
        }
        answer.bytes.removeFirst(min(answer.bytes.count, Int(length) * 8 + 8))
        return answer
    }

    private func list(_ answer: TestSession.Answer) throws -> [NFS4AccessEntry] {
        var reader = unsafe XDRReader(answer.bytes.span.bytes)
        return try #require(try NFS4NewAttributes(decoding: &reader, minor: 1).accessList)
    }

    /// ALLOW for a user "5", and for OWNER@.
    private func entries(_ flags: UInt32) -> [UInt32] {
        [2, 0, flags, 0x1, 1, 0x3500_0000, 0, flags, 0x7, 6, 0x4f57_4e45, 0x5240_0000]
    }

    @Test("A list that is set is kept by the kernel, shown, and taken for new files")
    func kept() throws {
        let fixture = try Fixture()
        let session = try TestSession(fixture.client, "lists")
        let file = fixture.directory + "/file"
        close(unsafe clinux_open(file, O_CREAT | O_WRONLY, 0o640))
        #expect(try list(try ask(session, file)) == NFS4PosixAccess(mode: 0o640).entries(isDirectory: false))
        let set = try ask(session, file, sets: entries(0))
        guard set.status == .ok else {
            // A file system of the tests' own without lists.
            #expect(set.status == .invalid)
            return
        }
        var expected = NFS4PosixAccess(mode: 0o600)
        expected.users = [.init(number: 5, rights: 4)]
        expected.mask = 4
        #expect(try list(try ask(session, file)) == expected.entries(isDirectory: false))
        var known = stat()
        #expect(unsafe lstat(file, &known) == 0)
        #expect(known.st_mode & 0o777 == 0o640)
        #expect(try ask(session, file, sets: entries(0x3)).status == .invalid)
        // What is made in a directory begins with its list.
        #expect(try ask(session, fixture.directory, sets: entries(0x3)).status == .ok)
        let next = fixture.directory + "/next"
        close(unsafe clinux_open(next, O_CREAT | O_WRONLY, 0o666))
        let users = try list(try ask(session, next)).filter { $0.who == .user(5) && !$0.denies }
        #expect(users.map { $0.rights & 0x27 } == [0x1])
        let own = try list(try ask(session, fixture.directory))
        #expect(own.contains { $0.inheritance == 0xb && $0.who == .user(5) })
        #expect(own.contains { $0.inheritance == 0 && $0.who == .user(5) })
    }

    @Test("Where lists are not shown they are refused")
    func notShown() throws {
        let fixture = try Fixture(hasAccessLists: false)
        let session = try TestSession(fixture.client, "lists")
        #expect(try ask(session, fixture.directory).bytes == [UInt8](repeating: 0, count: 8))
        #expect(try ask(session, fixture.directory, sets: entries(0)).status == .attributeNotSupported)
    }

    @Test("The kernel's form of a list, there and back")
    func kernelForm() throws {
        var access = NFS4PosixAccess(mode: 0o754)
        access.users = [.init(number: 5, rights: 4), .init(number: 0x0102_0304, rights: 6)]
        access.groups = [.init(number: 6, rights: 1)]
        access.mask = 7
        let bytes = access.kernelBytes
        #expect(bytes.prefix(12) == [2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255])
        #expect(bytes.dropFirst(20).prefix(8) == [2, 0, 6, 0, 4, 3, 2, 1])
        #expect(NFS4PosixAccess(kernel: bytes) == access)
        #expect(NFS4PosixAccess(kernel: Array(bytes.dropLast())) == nil)
        #expect(NFS4PosixAccess(kernel: [3] + bytes.dropFirst()) == nil)
        #expect(NFS4PosixAccess(kernel: bytes + [3, 0, 0, 0, 0, 0, 0, 0]) == nil)
        #expect(NFS4PosixAccess(kernel: []) == nil)
    }
}
