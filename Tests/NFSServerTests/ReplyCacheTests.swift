import CLinux
import NFS3
import NFSServer
import ONCRPC
import Testing
import XDR

@Suite("Calls that come twice", .enabled(if: Fixture.isPossible, "needs root"))
struct ReplyCacheTests {
    @Test("A REMOVE that is sent again after its connection broke is answered as it was, another one is not")
    func repeated() throws {
        let fixture = try Fixture()
        close(unsafe clinux_open("\(fixture.directory)/file", O_CREAT | O_WRONLY, 0o644))
        func remove(_ client: TestClient) -> [UInt8] {
            client.call(NFS3.program, NFS3.version, NFS3Procedure.remove.rawValue) {
                fixture.root.encode(into: &$0)
                $0.writeOpaque(Array("file".utf8))
            }
        }
        let call = remove(fixture.client)
        try fixture.client.send(call)
        let reply = try fixture.client.reply()
        #expect(reply[24..<28] == [0, 0, 0, 0])
        let other = try TestClient(fixture.server.endpoint)
        try other.send(call)
        #expect(try other.reply() == reply)
        try fixture.client.send(remove(fixture.client))
        #expect(try fixture.client.reply()[24..<28] == [0, 0, 0, 2])
    }
}
