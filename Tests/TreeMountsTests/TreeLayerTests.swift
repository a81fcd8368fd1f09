import CLinux
import FileTree
import Foundation
import Testing

@testable import TreeMounts

private let canMount =
    geteuid() == 0 && FileManager.default.fileExists(atPath: "/dev/loop-control")
    && FileManager.default.isExecutableFile(atPath: "/usr/bin/mksquashfs")

/// Images mounted here and layers over them; each test has mounts that end with it.
@Suite(.serialized, .enabled(if: canMount, "no root, no loop devices, or no mksquashfs (package squashfs-tools)"))
struct TreeLayerTests {
    private let directory =
        FileManager.default.temporaryDirectory.path + "/tree-mounts-\(UInt64.random(in: 0...(.max)))"

    /// Makes the directory, as a mount that others may copy: a program that another test starts in a namespace takes over
    /// the mounts of this moment, and would keep a layer in use after it is unmounted here.
    private func begin() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try #require(unsafe mount(directory, directory, nil, UInt(MS_BIND), nil) == 0)
        try #require(unsafe mount(nil, directory, nil, UInt(MS_SHARED), nil) == 0)
    }

    private func end() {
        TreeLayer.unmount(directory)
        try? DirectoryNames.removeTree(directory, depth: 0)
    }

    private func image(_ name: String, files: [String: String]) throws -> String {
        let tree = "\(directory)/\(name)-tree"
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
        for (file, text) in files { try text.write(toFile: "\(tree)/\(file)", atomically: false, encoding: .utf8) }
        let path = "\(directory)/\(name).squashfs"
        let tool = Process()
        tool.executableURL = URL(fileURLWithPath: "/usr/bin/mksquashfs")
        tool.arguments = [tree, path, "-quiet", "-no-progress", "-noappend"]
        tool.standardOutput = FileHandle.nullDevice
        try tool.run()
        tool.waitUntilExit()
        return path
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test func keepsChangesOverAnotherImage() throws {
        defer { end() }
        try begin()
        let layer = TreeLayer("\(directory)/layer")
        let target = "\(directory)/root"
        let first = try image("first", files: ["old": "1", "same": "1", "gone": "1"])
        let second = try image("second", files: ["same": "2", "new": "2", "gone": "2"])
        var key = [UInt8](repeating: 7, count: 16)
        do {
            let lower = try ImageMount(first, type: "squashfs", at: "\(directory)/lower")
            #expect(try layer.prepare(base: "first") == 0)
            #expect(layer.base == "first")
            try layer.mount(over: lower.path, at: target)
            try "mine".write(toFile: "\(target)/mine", atomically: false, encoding: .utf8)
            try "changed".write(toFile: "\(target)/old", atomically: false, encoding: .utf8)
            #expect(unsafe unlink("\(target)/gone") == 0)
            // Files of an overlay are found by their handles, before and after a copy-up.
            let handleKey = try #require(HandleKey(bytes: key))
            let tree = try FileTree(path: target, identity: 1, key: handleKey, cache: ObjectCache(capacity: 64))
            var thread = try ThreadIdentity()
            let name = try FileName(Array("same".utf8))
            let before = try tree.find([name], on: &thread).handle
            try "copied".write(toFile: "\(target)/same", atomically: false, encoding: .utf8)
            #expect(try tree.find([name], on: &thread).handle == before)
            TreeLayer.unmount(target)
            key = []
        }
        do {
            let lower = try ImageMount(second, type: "squashfs", at: "\(directory)/lower")
            #expect(try layer.prepare(base: "second") == 1)
            #expect(try layer.prepare(base: "second") == 1)
            try layer.mount(over: lower.path, at: target)
            #expect(try text("\(target)/new") == "2")
            #expect(try text("\(target)/mine") == "mine")
            #expect(try text("\(target)/old") == "changed")
            #expect(try text("\(target)/same") == "copied")
            #expect(!FileManager.default.fileExists(atPath: "\(target)/gone"))
            TreeLayer.unmount(target)
        }
        try layer.remove()
        #expect(!FileManager.default.fileExists(atPath: layer.path))
    }

    @Test func aSecondMountOfALayerIsRefused() throws {
        defer { end() }
        try begin()
        let lower = try ImageMount(image("one", files: ["a": "1"]), type: "squashfs", at: "\(directory)/lower")
        let layer = TreeLayer("\(directory)/layer")
        _ = try layer.prepare(base: "one")
        try layer.mount(over: lower.path, at: "\(directory)/a")
        defer { TreeLayer.unmount("\(directory)/a") }
        let error = #expect(throws: MountError.self) { try layer.mount(over: lower.path, at: "\(directory)/b") }
        #expect(error?.number == EBUSY)
    }

    @Test func saysWhatIsMissing() {
        let error = #expect(throws: MountError.self) {
            try ImageMount("/nowhere/root.squashfs", type: "squashfs", at: "\(directory)/lower")
        }
        #expect(error?.description == "cannot open /nowhere/root.squashfs: No such file or directory")
        try? DirectoryNames.removeTree(directory, depth: 0)
    }
}
