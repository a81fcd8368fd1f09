import BootModel
import Foundation
import Testing

@testable import Registry

@Suite("identities")
struct IdentityTests {
    private func identity(_ node: String, _ byte: UInt8) throws -> NodeIdentity {
        NodeIdentity(
            node: try NodeName(validating: node),
            seed: [UInt8](repeating: byte, count: 32),
            hostKeys: [NodeIdentity.HostKey(kind: "rsa", privateFile: "private \(byte)", publicLine: "ssh-rsa \(byte)")]
        )
    }

    @Test("the first one that is kept stays, also after a restart")
    func keeping() throws {
        let directory = try TemporaryDirectory()
        let first = try identity("anna", 1)
        do {
            let registry = try Registry(stateDirectory: directory.path)
            #expect(try registry.identity(of: first.node) == nil)
            #expect(try registry.keep(first) == first)
            #expect(try registry.keep(identity("anna", 2)) == first)
            #expect(try registry.keep(identity("ben", 3)).seed.first == 3)
            registry.close()
        }
        let registry = try Registry(stateDirectory: directory.path)
        #expect(try registry.identity(of: first.node) == first)
        try registry.forgetIdentity(of: first.node)
        #expect(try registry.identity(of: first.node) == nil)
        #expect(try registry.identity(of: NodeName(validating: "ben")) != nil)
    }
}
