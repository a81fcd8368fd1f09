import DNS
import Testing

@testable import Daemon

@Suite("Host keys as SSHFP records")
struct HostKeyRecordTests {
    /// A key made with ssh-keygen, and what `ssh-keygen -r` says of it.
    @Test func likeSSHKeygen() throws {
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGu0Y4tmqEkINAH9vfLGwEKJflR1ytyslMUMCCNIxau9 node"
        let record = try #require(HostKeyRecords.fingerprint(line))
        #expect(record.algorithm == 4 && record.digestType == 2)
        let hex = record.digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(hex == "1e09c57d4b310f50470c5c8f845e6657ea64a000818bebc89720f3f0e51cdc41")
        #expect(HostKeyRecords.fingerprint("ssh-dss AAAA x") == nil && HostKeyRecords.fingerprint("nonsense") == nil)
    }
}
