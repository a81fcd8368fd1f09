import BootModel
import Foundation
import OverlayFiles
import Testing

struct IdentityTests {
    private static let tool = "/usr/bin/ssh-keygen"

    private func keygen(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.tool)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: tool), "ssh-keygen is not installed"))
    func sshReadsTheKeysAndAgreesOnThePublicOnes() throws {
        let identity = try IdentityMaker.make(for: try NodeName(validating: "megane"))
        #expect(identity.hostKeys.map(\.kind) == ["ed25519", "ecdsa"])
        let folder = try Folder()
        for key in identity.hostKeys {
            try folder.write(key.kind, key.privateFile, mode: 0o600)
            let derived = try keygen(["-y", "-f", "\(folder.path)/\(key.kind)"])
            #expect(
                derived.split(separator: " ").prefix(2).joined(separator: " ").trimmingPrefix(" ") == key.publicLine
            )
            try folder.write("\(key.kind).pub", key.publicLine + "\n")
        }
        let records = identity.sshfpRecords(name: "megane.lab.example")
        for key in identity.hostKeys {
            let said = try keygen(["-r", "megane.lab.example.", "-f", "\(folder.path)/\(key.kind).pub"])
            let mine = try #require(records.first { said.contains($0) }, "\(said)")
            #expect(mine.hasPrefix("megane.lab.example. IN SSHFP "))
        }
        #expect(
            identity.knownHosts(names: ["megane", "10.0.0.71"]).first?.hasPrefix("megane,10.0.0.71 ssh-ed25519 ")
                == true
        )
    }

    @Test func isDerivedFromTheSeedAlone() throws {
        let name = try NodeName(validating: "megane")
        let one = NodeIdentity(node: name, seed: [UInt8](repeating: 1, count: 32), hostKeys: [])
        #expect(one.machineID == "c67d7cb5ebf1431bb3193ec50d16b7d2")
        #expect(one.machineID != one.dhcpUUID)
        #expect(Array(one.machineID)[12] == "4")
        let two = NodeIdentity(node: name, seed: [UInt8](repeating: 2, count: 32), hostKeys: [])
        #expect(one.machineID != two.machineID)
    }

    @Test func neverPrintsAKey() throws {
        let key = NodeIdentity.HostKey(kind: "rsa", privateFile: "PRIVATE", publicLine: "ssh-rsa AAAA")
        let identity = NodeIdentity(node: try NodeName(validating: "a"), seed: [222, 173], hostKeys: [key])
        var dumped = ""
        dump(identity, to: &dumped)
        dump(key, to: &dumped)
        let text = "\(identity) \(key) \(String(reflecting: identity)) \(String(reflecting: key)) \(dumped)"
        #expect(!text.contains("PRIVATE"))
        #expect(!text.contains("222"))
    }
}
