import CLinux
import FileTree
import NFS3
import NFSServer
import ONCRPC
import Testing
import XDR

@Suite("Procedures of NFS version 3", .enabled(if: Fixture.isPossible, "needs root"))
struct ProcedureTests {
    private func name(_ directory: NFS3FileHandle, _ name: String) -> (inout XDRWriter) -> Void {
        {
            directory.encode(into: &$0)
            $0.writeOpaque(Array(name.utf8))
        }
    }

    private func lookup(_ fixture: Fixture, _ path: String) throws -> NFS3FileHandle {
        let (status, rest) = try fixture.client.nfs(.lookup, name(fixture.root, path))
        guard status == .ok else { throw TestClient.Failure(what: "lookup \(status)") }
        var reader = unsafe XDRReader(rest.span.bytes)
        return try NFS3FileHandle(decoding: &reader)
    }

    private func attributes(_ fixture: Fixture, _ handle: NFS3FileHandle) throws -> NFS3Attributes {
        let (status, rest) = try fixture.client.nfs(.getAttributes) { handle.encode(into: &$0) }
        guard status == .ok else { throw TestClient.Failure(what: "getattr \(status)") }
        var reader = unsafe XDRReader(rest.span.bytes)
        return try NFS3Attributes(decoding: &reader)
    }

    private func create(_ fixture: Fixture, _ file: String, mode: UInt32 = 0o644) throws -> NFS3FileHandle {
        let (status, rest) = try fixture.client.nfs(.create) {
            name(fixture.root, file)(&$0)
            $0.write(1 as UInt32)
            var attributes = NFS3NewAttributes()
            attributes.mode = mode
            attributes.encode(into: &$0)
        }
        guard status == .ok else { throw TestClient.Failure(what: "create \(status)") }
        var reader = unsafe XDRReader(rest.span.bytes)
        _ = try reader.readBool()
        return try NFS3FileHandle(decoding: &reader)
    }

    private func write(
        _ fixture: Fixture,
        _ handle: NFS3FileHandle,
        at offset: UInt64,
        _ data: [UInt8],
        stability: UInt32 = 0
    ) throws -> NFS3Status {
        try fixture.client.nfs(.write) {
            handle.encode(into: &$0)
            $0.write(offset)
            $0.write(UInt32(data.count))
            $0.write(stability)
            $0.writeOpaque(data)
        }.status
    }

    private func read(_ fixture: Fixture, _ handle: NFS3FileHandle, at offset: UInt64, _ count: Int) throws -> (
        data: [UInt8], isAtEnd: Bool
    ) {
        let (status, rest) = try fixture.client.nfs(.read) {
            handle.encode(into: &$0)
            $0.write(offset)
            $0.write(UInt32(count))
        }
        guard status == .ok else { throw TestClient.Failure(what: "read \(status.rawValue)") }
        var reader = unsafe XDRReader(rest.span.bytes)
        _ = try reader.readBool()
        _ = try NFS3Attributes(decoding: &reader)
        _ = try reader.readUInt32()
        let isAtEnd = try reader.readBool()
        let data = try reader.readBytes(limit: 1 << 20)
        guard reader.remaining == 0 else { throw TestClient.Failure(what: "\(reader.remaining) bytes too many") }
        return (data, isAtEnd)
    }

    @Test("What is written in any size is read in any size", arguments: [0, 1, 4095, 40_001, 300_003, 1 << 20])
    func data(size: Int) throws {
        let fixture = try Fixture()
        let handle = try create(fixture, "file")
        let data = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        #expect(try write(fixture, handle, at: 5, data, stability: UInt32(size % 3)) == .ok)
        #expect(try attributes(fixture, handle).size == UInt64(size == 0 ? 0 : size + 5))
        let whole = try read(fixture, handle, at: 5, 1 << 20)
        #expect(whole.data == data && whole.isAtEnd)
        if size > 4096 { #expect(try read(fixture, handle, at: 6, 4001) == (Array(data[1..<4002]), false)) }
        let (status, rest) = try fixture.client.nfs(.commit) {
            handle.encode(into: &$0)
            for word in [0, 0, 0] as [UInt32] { $0.write(word) }
        }
        #expect(status == .ok && rest.count == 4 + 4 + NFS3Attributes.size + 8)
    }

    @Test("A handle means the same file after a rename and a restart of the server, and none after its removal")
    func handles() throws {
        let fixture = try Fixture()
        let handle = try create(fixture, "old")
        #expect(try write(fixture, handle, at: 0, [1, 2, 3]) == .ok)
        let rename = try fixture.client.nfs(.rename) {
            name(fixture.root, "old")(&$0)
            name(fixture.root, "new")(&$0)
        }
        #expect(rename.status == .ok)
        let (second, _) = try Fixture.serve(fixture.directory)
        defer { second.stop(seconds: 1) }
        let client = try TestClient(second.endpoint)
        #expect(try client.nfs(.getAttributes) { handle.encode(into: &$0) }.status == .ok)
        #expect(try fixture.client.nfs(.remove, name(fixture.root, "new")).status == .ok)
        #expect(try fixture.client.nfs(.getAttributes) { handle.encode(into: &$0) }.status == .stale)
        #expect(try client.nfs(.getAttributes) { handle.encode(into: &$0) }.status == .stale)
    }

    @Test("A forged handle, one of another export and rubbish are refused")
    func forged() throws {
        let fixture = try Fixture()
        let other = try Fixture()
        for handle in [other.root, NFS3FileHandle(words: InlineArray(repeating: 7), count: 32)] {
            #expect(try fixture.client.nfs(.getAttributes) { handle.encode(into: &$0) }.status != .ok)
        }
        for word in 0..<4 {
            var forged = fixture.root
            forged.words[word] ^= 1 << 33
            #expect(try fixture.client.nfs(.getAttributes) { forged.encode(into: &$0) }.status != .ok)
        }
    }

    @Test("The kernel checks the caller's rights")
    func rights() throws {
        let fixture = try Fixture()
        let secret = try create(fixture, "secret", mode: 0o600)
        #expect(try write(fixture, secret, at: 0, [42]) == .ok)
        let script = try create(fixture, "program", mode: 0o711)
        #expect(try write(fixture, script, at: 0, [43]) == .ok)
        fixture.client.credential = .init(user: 1000, group: 1000)
        #expect(throws: TestClient.Failure.self) { try read(fixture, secret, at: 0, 1) }
        #expect(try write(fixture, secret, at: 0, [1]) == .accessDenied)
        // Who may run a file can read it: else the client could not.
        #expect(try read(fixture, script, at: 0, 1).data == [43])
        #expect(throws: TestClient.Failure.self) { try create(fixture, "mine") }
        unsafe chmod(fixture.directory, 0o777)
        let mine = try create(fixture, "mine", mode: 0o444)
        #expect(try attributes(fixture, mine).user == 1000)
        // Its owner has it open, whatever the mode says.
        #expect(try write(fixture, mine, at: 0, [1]) == .ok)
        fixture.client.credential = .init(user: 1001, group: 1001, groups: [1000])
        #expect(try write(fixture, mine, at: 0, [1]) == .accessDenied)
        #expect(try read(fixture, mine, at: 0, 1).data == [1])
        unsafe chmod("\(fixture.directory)/mine", 0o400)
        #expect(throws: TestClient.Failure.self) { try read(fixture, mine, at: 0, 1) }
    }

    @Test("Root is nobody where it is squashed")
    func squash() throws {
        let fixture = try Fixture(squash: SquashRule())
        #expect(throws: TestClient.Failure.self) { try create(fixture, "file") }
        unsafe chmod(fixture.directory, 0o777)
        let handle = try create(fixture, "file")
        #expect(try attributes(fixture, handle).user == 65534)
    }

    @Test("Nothing can be changed in a read-only export")
    func readOnly() throws {
        let fixture = try Fixture(isWritable: false)
        #expect(throws: TestClient.Failure.self) { try create(fixture, "file") }
        #expect(try fixture.client.nfs(.remove, name(fixture.root, "file")).status == .readOnly)
        let (status, rest) = try fixture.client.nfs(.access) {
            fixture.root.encode(into: &$0)
            $0.write(0x3f as UInt32)
        }
        #expect(status == .ok && rest.last == 3)
    }

    @Test("CREATE: guarded and exclusive refuse what is there, exclusive not its own repetition")
    func creating() throws {
        let fixture = try Fixture()
        func exclusive(_ verifier: UInt64) throws -> NFS3Status {
            try fixture.client.nfs(.create) {
                name(fixture.root, "lock")(&$0)
                $0.write(2 as UInt32)
                $0.write(verifier)
            }.status
        }
        #expect(try exclusive(0x1234_5678_9abc_def0) == .ok)
        #expect(try exclusive(0x1234_5678_9abc_def0) == .ok)
        #expect(try exclusive(0x1234_5678_9abc_def1) == .exists)
        #expect(throws: TestClient.Failure.self) { try create(fixture, "lock") }
    }

    @Test("SETATTR's guard, size and times")
    func setting() throws {
        let fixture = try Fixture()
        let handle = try create(fixture, "file")
        func set(_ new: NFS3NewAttributes, guardTime: NFS3Time?) throws -> NFS3Status {
            try fixture.client.nfs(.setAttributes) {
                handle.encode(into: &$0)
                new.encode(into: &$0)
                $0.write(guardTime != nil)
                if let guardTime {
                    $0.write(guardTime.seconds)
                    $0.write(guardTime.nanoseconds)
                }
            }.status
        }
        var new = NFS3NewAttributes()
        new.size = 5_000_000_000
        new.mode = 0o4711
        new.modified = .client(NFS3Time(seconds: 77, nanoseconds: 88))
        #expect(try set(new, guardTime: NFS3Time(seconds: 1, nanoseconds: 1)) == .notSynchronized)
        #expect(try set(new, guardTime: try attributes(fixture, handle).changed) == .ok)
        let after = try attributes(fixture, handle)
        #expect(after.size == 5_000_000_000 && after.mode == 0o4711)
        #expect(after.modified == NFS3Time(seconds: 77, nanoseconds: 88) && after.used < 1 << 20)
    }

    @Test("Links are not followed, '..' does not lead out, names are single and any bytes")
    func names() throws {
        let fixture = try Fixture()
        let link = try fixture.client.nfs(.symbolicLink) {
            name(fixture.root, "link")(&$0)
            NFS3NewAttributes().encode(into: &$0)
            $0.writeOpaque(Array("/etc".utf8))
        }
        #expect(link.status == .ok)
        let handle = try lookup(fixture, "link")
        #expect(try attributes(fixture, handle).type == .symbolicLink)
        #expect(try fixture.client.nfs(.lookup, name(handle, "passwd")).status == .notDirectory)
        #expect(
            try fixture.client.nfs(.readLink) { handle.encode(into: &$0) }.rest.suffix(8) == [0, 0, 0, 4] + "/etc".utf8
        )
        #expect(try lookup(fixture, "..") == fixture.root)
        #expect(try lookup(fixture, ".") == fixture.root)
        for bad in ["", "a/b", "a\0b"] {
            #expect(try fixture.client.nfs(.lookup, name(fixture.root, bad)).status == .invalid)
        }
        let long = String(repeating: "x", count: 256)
        #expect(try fixture.client.nfs(.lookup, name(fixture.root, long)).status == .nameTooLong)
        let raw = try fixture.client.nfs(.makeDirectory) {
            fixture.root.encode(into: &$0)
            $0.writeOpaque([0xff, 0xfe, 0x20])
            NFS3NewAttributes().encode(into: &$0)
        }
        #expect(raw.status == .ok)
    }

    @Test("A listing in pieces has every entry once, with handles", arguments: [false, true])
    func listing(plus: Bool) throws {
        let fixture = try Fixture()
        for number in 0..<200 { _ = try create(fixture, "file-number-\(number)") }
        var (cookie, names, rounds): (UInt64, [String], Int) = (0, [], 0)
        var isAtEnd = false
        while !isAtEnd, rounds < 100 {
            rounds += 1
            let (status, rest) = try fixture.client.nfs(plus ? .readDirectoryPlus : .readDirectory) {
                fixture.root.encode(into: &$0)
                $0.write(cookie)
                $0.write(0 as UInt64)
                $0.write(2000 as UInt32)
                if plus { $0.write(4000 as UInt32) }
            }
            #expect(status == .ok)
            var reader = unsafe XDRReader(rest.span.bytes)
            _ = try reader.readBool()
            _ = try NFS3Attributes(decoding: &reader)
            _ = try reader.readUInt64()
            while try reader.readBool() {
                let file = try reader.readUInt64()
                let name = String(decoding: try reader.readBytes(limit: 255), as: UTF8.self)
                cookie = try reader.readUInt64()
                names.append(name)
                guard plus else { continue }
                if try reader.readBool() { #expect(try NFS3Attributes(decoding: &reader).file == file) }
                guard try reader.readBool() else {
                    #expect(name == "..")
                    continue
                }
                _ = try NFS3FileHandle(decoding: &reader)
            }
            isAtEnd = try reader.readBool()
        }
        #expect(names.count == 202 && Set(names).count == 202 && rounds > 3)
    }

    @Test("Devices, pipes and hard links are made; what is not empty stays")
    func kinds() throws {
        let fixture = try Fixture()
        let device = try fixture.client.nfs(.makeNode) {
            name(fixture.root, "null")(&$0)
            $0.write(NFS3FileType.characterDevice.rawValue)
            NFS3NewAttributes().encode(into: &$0)
            $0.write(1 as UInt32)
            $0.write(3 as UInt32)
        }
        #expect(device.status == .ok)
        let handle = try lookup(fixture, "null")
        #expect(try attributes(fixture, handle).device == (1, 3))
        // Never opened on the server.
        #expect(try write(fixture, handle, at: 0, [1]) == .invalid)
        let file = try create(fixture, "file")
        let link = try fixture.client.nfs(.link) {
            file.encode(into: &$0)
            name(fixture.root, "second")(&$0)
        }
        #expect(link.status == .ok)
        #expect(try attributes(fixture, file).links == 2)
        let directory = try fixture.client.nfs(.makeDirectory) {
            name(fixture.root, "d")(&$0)
            NFS3NewAttributes().encode(into: &$0)
        }
        #expect(directory.status == .ok)
        let inner = try lookup(fixture, "d")
        #expect(
            try fixture.client.nfs(.rename) {
                name(fixture.root, "second")(&$0)
                name(inner, "second")(&$0)
            }.status == .ok
        )
        #expect(try fixture.client.nfs(.removeDirectory, name(fixture.root, "d")).status == .notEmpty)
        #expect(try fixture.client.nfs(.remove, name(fixture.root, "d")).status == .isDirectory)
        for procedure in [NFS3Procedure.fileSystemStatus, .fileSystemInfo, .pathConfiguration] {
            #expect(try fixture.client.nfs(procedure) { fixture.root.encode(into: &$0) }.status == .ok)
        }
    }

    @Test("'..' of a directory that was moved out of the export tells nothing")
    func movedOut() throws {
        let fixture = try Fixture()
        let outside = try Fixture.temporaryDirectory()
        defer { Fixture.removeAll(outside) }
        let made = try fixture.client.nfs(.makeDirectory) {
            name(fixture.root, "d")(&$0)
            NFS3NewAttributes().encode(into: &$0)
        }
        #expect(made.status == .ok)
        let inner = try lookup(fixture, "d")
        #expect(try fixture.client.nfs(.lookup, name(inner, "..")).status == .ok)
        #expect(unsafe rename("\(fixture.directory)/d", "\(outside)/d") == 0)
        #expect(try fixture.client.nfs(.lookup, name(inner, "..")).status != .ok)
    }
}
