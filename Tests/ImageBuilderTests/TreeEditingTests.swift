import CLinux
import ImageStore
import Testing

@testable import ImageBuilder

@Suite struct TreeEditingTests {
    @Test func editsStayInTheTree() throws {
        let tree = "/tmp/diskless-tree-\(getpid())"
        defer { try? TreeRemoval.remove(tree) }
        for directory in ["", "/etc", "/etc/ssh", "/var", "/var/cache", "/outside"] {
            try #require(unsafe mkdir(tree + directory, 0o755) == 0)
        }
        try HostFile.write("secret", to: tree + "/outside/file")
        try HostFile.write("key", to: tree + "/etc/ssh/ssh_host_rsa_key")
        try HostFile.write("kept", to: tree + "/etc/ssh/sshd_config")
        try #require(unsafe symlink(tree + "/outside", tree + "/var/tmp") == 0)
        try #require(unsafe symlink(tree + "/outside/file", tree + "/etc/resolv.conf") == 0)
        try TreeEditing.apply(
            [
                .remove("/etc/ssh/ssh_host_*"), .empty("/var/tmp"), .file("/etc/resolv.conf", "x"),
                .remove("/etc/missing/thing"), .link("/etc/mtab", to: "../proc/self/mounts"), .directory("/etc/new"),
            ],
            in: tree
        )
        #expect(HostFile.names(in: tree + "/etc/ssh") == ["sshd_config"])
        #expect(HostFile.text(tree + "/outside/file") == "secret")
        #expect(HostFile.text(tree + "/etc/resolv.conf") == "x")
        #expect(throws: BuildError.self) { try TreeEditing.apply([.file("/var/tmp/x", "x")], in: tree) }
    }

    @Test func cacheIsBounded() throws {
        let cache = "/tmp/diskless-cache-\(getpid())"
        defer { try? TreeRemoval.remove(cache) }
        try #require(unsafe mkdir(cache, 0o755) == 0)
        for (index, name) in ["a_1.deb", "a_2.deb", "b_1.deb"].enumerated() {
            try HostFile.write("0123456789", to: cache + "/" + name)
            var times = [timespec(tv_sec: index, tv_nsec: 0), timespec(tv_sec: index, tv_nsec: 0)]
            try #require(unsafe utimensat(AT_FDCWD, cache + "/" + name, &times, 0) == 0)
        }
        PackageCache.trim(cache, limit: 20)
        #expect(HostFile.names(in: cache) == ["a_2.deb", "b_1.deb"])
    }

    @Test func foreignArchitectureNamesItsPackage() {
        #expect {
            try ForeignArchitecture.check("armhf", binfmt: "/nonexistent")
        } throws: { error in
            "\(error)".contains("apt install qemu-user-static")
        }
    }
}
