import BootModel
import Testing

@testable import ImageBuilder

@Suite struct DebianRecipeTests {
    private let places = DebianCommands.Places(
        tree: "/w/tree",
        sources: "/w/s",
        setupHook: "/w/a",
        customizeHook: "/w/b"
    )

    @Test func mmdebstrapArguments() throws {
        var recipe = DebianRecipe()
        recipe.kernel = .cloud
        recipe.packages = ["vim-tiny", "kmod"]
        recipe.locale = "de_DE.UTF-8"
        let arguments = DebianCommands.mmdebstrap(recipe, places, transport: ["Acquire::Retries \"3\";"])
        #expect(arguments.suffix(3) == ["bookworm", "/w/tree", "/w/s"])
        #expect(arguments.contains("--aptopt=Acquire::Retries \"3\""))
        let include = try #require(arguments.first { $0.hasPrefix("--include=") })
        #expect(include.hasSuffix(",linux-image-cloud-amd64,locales,vim-tiny"))
        #expect(include.split(separator: ",").filter { $0 == "kmod" }.count == 1)
    }

    @Test(arguments: [("amd64", "linux-image-amd64"), ("arm64", "linux-image-arm64"), ("armhf", "linux-image-armmp")])
    func kernels(architecture: String, package: String) {
        var recipe = DebianRecipe()
        recipe.architecture = architecture
        #expect(recipe.kernelPackage == package)
    }

    @Test func squashfsIsTheSameForTheSameTree() {
        let arguments = DebianCommands.mksquashfs(tree: "/t", output: "/o", time: 7, processors: 2)
        #expect(arguments.prefix(2) == ["/t", "/o"])
        #expect(arguments.suffix(4) == ["-mkfs-time", "7", "-all-time", "7"])
    }

    @Test func ext4HasHeadroom() {
        #expect(DebianCommands.ext4Size(content: 0) == 256 << 20)
        #expect(DebianCommands.ext4Size(content: 400_000_001) % (1 << 20) == 0)
    }

    static let refused: [(String, @Sendable (inout DebianRecipe) -> Void)] = [
        ("--arch", { $0.architecture = "ppc" }),
        ("--suite", { $0.suite = "../x" }),
        ("--variant", { $0.variant = "huge" }),
        ("--package", { $0.packages = ["-o=x"] }),
        ("--package", { $0.packages = ["a b"] }),
        ("--format", { $0.rootFormat = .btrfs }),
        ("--size", { $0.rootSize = 1 << 30 }),
        ("--locale", { $0.locale = "de'; rm" }),
        ("--root-password", { $0.rootPassword = "a\nroot:b" }),
        ("--ssh-key", { $0.sshKeys = ["nonsense"] }),
        ("--mirror", { $0.mirror = "deb.debian.org" }),
        ("--kernel-argument", { $0.kernelArguments = ["a b"] }),
        ("--kernel-argument", { $0.kernelArguments = ["quiet", "a=${b}"] }),
    ]

    @Test func badOptionsGetOneLine() throws {
        try DebianRecipe().validate()
        for (option, change) in Self.refused {
            var recipe = DebianRecipe()
            change(&recipe)
            #expect {
                try recipe.validate()
            } throws: { error in
                "\(error)".contains(option) && !"\(error)".contains("\n")
            }
        }
    }

    @Test func wordsOfTheShell() {
        #expect(BuildHooks.quoted("it's $HOME") == "'it'\\''s $HOME'")
        #expect(
            BuildHooks.customize(cache: "/c", locale: "de_DE.UTF-8@x", script: nil).contains("'de_DE.UTF-8@x UTF-8'")
        )
    }

    @Test func nothingNamesAMachine() {
        var recipe = DebianRecipe()
        recipe.sshKeys = ["ssh-ed25519 AAAA me"]
        let edits = DebianTree.edits(recipe, time: 9, hasBus: false)
        #expect(edits.contains(.file("/etc/machine-id", "")))
        #expect(edits.contains(.remove("/etc/ssh/ssh_host_*")))
        #expect(edits.contains(.file("/root/.ssh/authorized_keys", "ssh-ed25519 AAAA me\n", mode: 0o600)))
        #expect(edits.contains(.link("/etc/systemd/system/systemd-logind.service", to: "/dev/null")))
        #expect(!DebianTree.edits(recipe, time: 9, hasBus: true).contains { "\($0)".contains("logind") })
    }
}
