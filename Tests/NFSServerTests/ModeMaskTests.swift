import CLinux
import NFS3
import NFS4
import Testing
import XDR

@testable import NFSServer

/// Linux leaves the umask to the server in version 4.2 (RFC 8275): whether it counts depends on the directory.
@Suite("The umask of a client of version 4.2", .enabled(if: Fixture.isPossible, "needs root"))
struct ModeMaskTests {
    private enum Way: UInt32, CaseIterable {
        case unchecked = 0
        case guarded = 1
        case exclusive = 3
        case directory = 100
        case pipe = 101
    }

    /// Makes `name` of mode 0666 (or 0777) with a umask of 022.
    private func make(_ way: Way, _ name: String, _ session: TestSession, _ directory: String) throws -> NFS4Status {
        try session.send(UInt32(directory.split(separator: "/").count) + 2) {
            _ = TestSession.walk(directory, &$0)
            switch way {
            case .directory, .pipe:
                let type: NFS4FileType = way == .directory ? .directory : .pipe
                for word in [NFS4Operation.create.rawValue, type.rawValue] as [UInt32] { $0.write(word) }
                $0.writeOpaque(Array(name.utf8))
            default:
                for word in [NFS4Operation.open.rawValue, 0, 0x402, 0] as [UInt32] { $0.write(word) }
                $0.write(0 as UInt64)
                $0.writeOpaque(Array("owner".utf8))
                for word in [1, way.rawValue] as [UInt32] { $0.write(word) }
                if way == .exclusive { $0.write(0x1234_5678 as UInt64) }
            }
            // mode_umask is attribute 81.
            for word in [3, 0, 0, 1 << 17, 8, way == .directory ? 0o777 : 0o666, 0o022] as [UInt32] { $0.write(word) }
            guard way != .directory, way != .pipe else { return }
            $0.write(0 as UInt32)
            $0.writeOpaque(Array(name.utf8))
        }.status
    }

    private func mode(_ path: String) -> UInt32 {
        var known = stat()
        return unsafe lstat(path, &known) == 0 ? known.st_mode & 0o777 : 0
    }

    private func session(_ fixture: Fixture) throws -> TestSession {
        let session = try TestSession(fixture.client, "mask", minor: 2)
        _ = try session.send(1) {
            $0.write(NFS4Operation.reclaimComplete.rawValue)
            $0.write(false)
        }
        return session
    }

    @Test("It takes bits away where the directory says nothing of new files")
    func plain() throws {
        let fixture = try Fixture()
        let session = try session(fixture)
        for way in Way.allCases {
            #expect(try make(way, "\(way)", session, fixture.directory) == .ok, "\(way)")
            #expect(mode("\(fixture.directory)/\(way)") == (way == .directory ? 0o755 : 0o644), "\(way)")
        }
        // The mask of one call is not that of the next: version 3 says whole modes.
        let status = try fixture.client.nfs(.makeDirectory) {
            fixture.root.encode(into: &$0)
            $0.writeOpaque(Array("next".utf8))
            for word in [1, 0o777, 0, 0, 0, 0, 0] as [UInt32] { $0.write(word) }
        }.status
        #expect(status == .ok && mode(fixture.directory + "/next") == 0o777)
    }

    @Test("It counts for nothing where the directory has a list for new files")
    func list() throws {
        let fixture = try Fixture()
        var access = NFS4PosixAccess(mode: 0o770)
        access.groups = [.init(number: 5, rights: 7)]
        access.mask = 7
        let bytes = access.kernelBytes
        let result = unsafe setxattr(fixture.directory, "system.posix_acl_default", bytes, bytes.count, 0)
        // A file system of the tests' own without lists.
        guard result == 0 else { return }
        let session = try session(fixture)
        for way in Way.allCases {
            #expect(try make(way, "\(way)", session, fixture.directory) == .ok, "\(way)")
            // The group's bits are the mask of the list.
            #expect(mode("\(fixture.directory)/\(way)") == (way == .directory ? 0o770 : 0o660), "\(way)")
        }
    }

    @Test("An exclusive OPEN may carry it, as Linux expects where other ways may")
    func exclusive() {
        #expect(NFS4Bitmap.supported(inMinor: 2).contains(.modeUmask))
        #expect(NFS4Bitmap.exclusive(inMinor: 2).contains(.modeUmask))
        #expect(!NFS4Bitmap.exclusive(inMinor: 1).contains(.modeUmask))
    }
}
