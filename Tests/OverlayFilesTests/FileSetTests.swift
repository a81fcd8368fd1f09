import BootModel
import CPIO
import Foundation
import Mustache
import OverlayFiles
import Testing

struct FileSetTests {
    private func library(_ folder: Folder, _ contributors: [any OverlayContributor] = []) -> FileSetLibrary {
        FileSetLibrary(directories: [folder.path], contributors: contributors)
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func keepsModesAndLinksAndFillsTemplatesIn() throws {
        let folder = try Folder()
        try folder.write("lab/etc/motd.mustache", "{{hostname}} seat {{seat}}\n{{> foot}}")
        try folder.write("lab/.partials/foot.mustache", "in {{network.name}}\n")
        try folder.write("lab/usr/local/bin/tool", "#!/bin/sh\n", mode: 0o755)
        try folder.write("lab/etc/secret", "token\n", mode: 0o600)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/lab/etc/link",
            withDestinationPath: "../usr/local/bin/tool"
        )
        var settings = Settings()
        settings.variables = [try #require(VariableName("seat")): .number(3)]
        let tree = try library(folder).tree(for: sampleBoot(settings: settings), sets: ["lab"])
        #expect(tree["etc/motd"]?.text == "megane seat 3\nin lab\n")
        #expect(tree["usr/local/bin/tool"]?.permissions == 0o755)
        #expect(tree["etc/link"]?.kind == .link(to: "../usr/local/bin/tool"))
        #expect(tree["etc/secret"]?.isSecret == true)
        #expect(tree["etc/motd.mustache"] == nil)
        #expect(tree[".partials/foot.mustache"] == nil)
    }

    @Test func anErrorNamesFileLineAndVariable() throws {
        let folder = try Folder()
        try folder.write("lab/etc/motd.mustache", "one\n{{sheat}}\n")
        let text = message { _ = try library(folder).tree(for: sampleBoot(), sets: ["lab"]) }
        #expect(text == "\(folder.path)/lab/etc/motd.mustache:2: there is no variable \"sheat\"")
        try folder.write("loop/etc/motd.mustache", "{{> a}}\n")
        try folder.write("loop/.partials/a.mustache", "\n{{> a}}\n")
        let loop = message { _ = try library(folder).tree(for: sampleBoot(), sets: ["loop"]) }
        #expect(loop == "\(folder.path)/loop/.partials/a.mustache:2: the partial \"a\" includes itself (a > a)")
        #expect(message { _ = try library(folder).tree(for: sampleBoot(), sets: ["gone"]) }.contains("\"gone\""))
    }

    @Test func refusesWhatIsNoFile() throws {
        let folder = try Folder()
        try folder.write("lab/etc/a", "")
        #expect(unsafe mkfifo(folder.path + "/lab/etc/pipe", 0o600) == 0)
        #expect(message { _ = try library(folder).tree(for: sampleBoot(), sets: ["lab"]) }.contains("etc/pipe"))
    }

    @Test func laterSetsAndContributorsWin() throws {
        struct Users: OverlayContributor {
            let name = "users"
            func files(for boot: OverlayBoot) throws -> [OverlayFile] {
                [.text("run/diskless/token", "secret of \(boot.node.name)", isSecret: true), .text("etc/c", "theirs")]
            }
        }
        let folder = try Folder()
        for set in ["a", "b"] {
            try folder.write("\(set)/etc/both", set)
            try folder.write("\(set)/etc/c", set)
        }
        try folder.write("b/etc/only/x", "")
        try folder.write("a/etc/only", "a file")
        let tree = try library(folder, [Users()]).tree(for: sampleBoot(), sets: ["a", "b"])
        #expect(tree["etc/both"]?.text == "b")
        #expect(tree["etc/c"]?.text == "theirs")
        #expect(tree["etc/only"]?.kind == .directory)
        #expect(tree["etc/only/x"] != nil)
        #expect(tree["run/diskless/token"]?.permissions == 0o600)
    }

    @Test func theArchiveHoldsParentsAndLeavesSecretsOut() throws {
        var tree = OverlayTree()
        try tree.lay([.text("etc/a/b", "x"), .text("etc/key", "y", isSecret: true), .link("etc/l", to: "a/b")])
        let bytes = try tree.archive(withSecrets: true)
        let entries = try CPIOReader.entries(of: bytes.span)
        #expect(
            entries.map(\.path) == [
                "diskless", "diskless/overlay", "diskless/overlay/etc", "diskless/overlay/etc/a",
                "diskless/overlay/etc/a/b", "diskless/overlay/etc/key", "diskless/overlay/etc/l",
            ]
        )
        #expect(entries.last?.kind == .link)
        #expect(entries[5].permissions == 0o600)
        let open = try tree.archive(withSecrets: false)
        let shown = try CPIOReader.entries(of: open.span).map(\.path)
        #expect(!shown.contains("diskless/overlay/etc/key"))
        #expect(bytes.count.isMultiple(of: 4))
        let nothing = try OverlayTree().archive(withSecrets: true)
        #expect(try CPIOReader.entries(of: nothing.span).map(\.path) == ["diskless", "diskless/overlay"])
    }

    @Test(arguments: ["../etc/passwd", "/etc/passwd", "etc//a", "etc/./a", "", "etc/a\nb"])
    func refusesPathsThatLeaveTheRoot(_ path: String) {
        var tree = OverlayTree()
        #expect(throws: OverlayProblem.self) { try tree.lay([.text(path, "")]) }
    }

    @Test func neverPrintsAContent() {
        let file = OverlayFile.text("etc/key", "SECRET", isSecret: true)
        var dumped = ""
        dump(file, to: &dumped)
        #expect(!"\(file) \(String(reflecting: file)) \(dumped)".contains("SECRET"))
    }
}
