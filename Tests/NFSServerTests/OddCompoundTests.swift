import CLinux
import NFS4
import NFSServer
import Testing
import XDR

/// Requests that no kernel's client makes, and any program can.
@Suite("Compounds that nobody expects", .enabled(if: Fixture.isPossible, "needs root"))
struct OddCompoundTests {
    private let fixture: Fixture

    init() throws {
        fixture = try Fixture()
        let file = unsafe clinux_open("\(fixture.directory)/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0o666)
        defer { close(file) }
        let bytes = [UInt8](repeating: 7, count: 512 << 10)
        #expect(unsafe write(file, bytes, bytes.count) == bytes.count)
    }

    /// A compound of version 4.0.
    private func compound(_ count: UInt32, _ operations: (inout XDRWriter) -> Void) -> [UInt8] {
        fixture.client.call(NFS4.program, NFS4.version, 1) {
            $0.writeOpaque([])
            $0.write(0 as UInt32)
            $0.write(count)
            operations(&$0)
        }
    }

    private func status(_ reply: [UInt8]) -> NFS4Status {
        NFS4Status(rawValue: reply.dropFirst(24).prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
    }

    private func isServed() throws -> Bool {
        try TestClient(fixture.server.endpoint).results(NFS4.program, NFS4.version, 0).isEmpty
    }

    @Test("VERIFY and NVERIFY with values that are longer or shorter than ours", arguments: [0, 4, 8, 12, 8192])
    func verify(length: Int) throws {
        for (operation, status) in [(NFS4Operation.verify, NFS4Status.notSame), (.verifyNot, .ok)] {
            let call = compound(2) {
                $0.write(NFS4Operation.putRootHandle.rawValue)
                $0.write(operation.rawValue)
                // FATTR4_TYPE, of four bytes.
                NFS4Bitmap(low: 1 << 1, high: 0).encode(into: &$0)
                $0.writeOpaque([UInt8](repeating: 9, count: length))
            }
            try fixture.client.send(call)
            #expect(self.status(try fixture.client.reply()) == status)
        }
        #expect(try isServed())
    }

    /// PUTROOTFH, LOOKUP …, SETATTR of nothing and READs, which is what a call that is done once can look like.
    private func changeAndRead(_ count: UInt32, of length: UInt32) -> [UInt8] {
        let depth = UInt32(fixture.directory.split(separator: "/").count) + 2
        return compound(depth + 1 + count) {
            _ = TestSession.walk("\(fixture.directory)/file", &$0)
            $0.write(NFS4Operation.setAttributes.rawValue)
            $0.writeZeros(4)
            NFS4Bitmap(low: 0, high: 0).encode(into: &$0)
            $0.writeOpaque([])
            for _ in 0..<count {
                $0.write(NFS4Operation.read.rawValue)
                $0.writeZeros(4)
                $0.write(0 as UInt64)
                $0.write(length)
            }
        }
    }

    @Test("A change and reads in one request, behind others, and once more", arguments: [1, 4] as [UInt32])
    func changeAndReads(count: UInt32) throws {
        let read = compound(UInt32(fixture.directory.split(separator: "/").count) + 3) {
            _ = TestSession.walk("\(fixture.directory)/file", &$0)
            $0.write(NFS4Operation.read.rawValue)
            $0.writeZeros(4)
            $0.write(0 as UInt64)
            $0.write(32768 as UInt32)
        }
        let call = changeAndRead(count, of: 256 << 10)
        try fixture.client.send(read + read + read + read + call + call + read)
        for _ in 0..<7 {
            let status = status(try fixture.client.reply())
            // Who asks for more than a reply has room for is told at the READ that finds none.
            #expect(status == .ok || (count > 1 && status == .resource))
        }
        #expect(try isServed())
    }
}
