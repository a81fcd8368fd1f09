import BootModel
import CLinux
import FileSystems
import ImageStore
import Testing

@Suite struct PublishingTests {
    let debian = ImageName(checked: "debian")

    @Test func versionIsWholeAndImmutable() throws {
        let scratch = try Scratch()
        let store = ImageStore(state: scratch.path)
        let manifest = try scratch.publish(debian, in: store)
        #expect(manifest.version.id.description == "debian@1")
        #expect(manifest.version.files[.kernel]?.size == 6)
        #expect(manifest.size == 6 + 9 + 4 + 9)
        #expect(try store.path(of: .root, in: manifest.version.id) == scratch.path + "/images/debian/1/root.squashfs")
        for file in ["kernel", "initramfs", "root.squashfs", "packages.txt", "manifest.json"] {
            var status = stat()
            #expect(unsafe stat(scratch.path + "/images/debian/1/" + file, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o444, "\(file)")
        }
        // Read again by somebody who has not just written it.
        #expect(try ImageStore(state: scratch.path).manifest(of: manifest.version.id) == manifest)
    }

    @Test func nothingIsLeftOfADraft() throws {
        let scratch = try Scratch()
        let store = ImageStore(state: scratch.path)
        do {
            let draft = try store.draft(debian)
            try Scratch.write("x", to: draft.work + "/tree")
            #expect(scratch.exists("images/debian/.building-\(getpid())/work/tree"))
        }
        #expect(!scratch.exists("images/debian/.building-\(getpid())"))
        #expect(try store.names() == [])
        // A file that the description names but nobody made.
        let draft = try store.draft(debian)
        #expect(throws: ImageStoreError.self) { try draft.publish(Scratch.description) }
        #expect(!scratch.exists("images/debian/.building-\(getpid())"))
        #expect(!scratch.exists("images/debian/1"))
    }

    @Test func interruptedBuildIsRemovedByTheNextOpen() throws {
        let scratch = try Scratch()
        try scratch.publish(debian, in: ImageStore(state: scratch.path))
        for leftover in [".building-99", ".removing-3"] {
            let path = scratch.path + "/images/debian/" + leftover
            try #require(unsafe mkdir(path, 0o755) == 0 && mkdir(path + "/work", 0o755) == 0)
            try #require(unsafe symlink("/etc", path + "/work/etc") == 0)
            try Scratch.write("x", to: path + "/work/file")
        }
        let store = ImageStore(state: scratch.path)
        #expect(!scratch.exists("images/debian/.building-99"))
        #expect(!scratch.exists("images/debian/.removing-3"))
        #expect(unsafe access("/etc/passwd", F_OK) == 0)
        #expect(try store.numbers(of: debian) == [1])
    }

    @Test func secondBuilderIsRefused() throws {
        let scratch = try Scratch()
        let store = ImageStore(state: scratch.path)
        let draft = try store.draft(debian)
        #expect(throws: ImageStoreError.locked(debian, process: getpid())) { _ = try store.draft(debian) }
        // Whoever opens the store meanwhile leaves the work alone.
        _ = ImageStore(state: scratch.path)
        #expect(unsafe access(draft.work, F_OK) == 0)
        // Another image is nobody's business.
        _ = try store.draft(ImageName(checked: "other"))
        draft.discard()
    }

    @Test func numbersAreNeverUsedTwice() throws {
        let scratch = try Scratch()
        let store = ImageStore(state: scratch.path)
        #expect(try scratch.publish(debian, in: store).version.id.number == 1)
        #expect(try scratch.publish(debian, in: store).version.id.number == 2)
        try store.remove(ImageVersionID(debian, 2)) { _ in [] }
        #expect(try store.numbers(of: debian) == [1])
        #expect(try scratch.publish(debian, in: store).version.id.number == 3)
        for number in [1, 3] { try store.remove(ImageVersionID(debian, number)) { _ in [] } }
        #expect(try store.names() == [])
        #expect(try scratch.publish(debian, in: ImageStore(state: scratch.path)).version.id.number == 4)
    }

    @Test func fullFileSystemLeavesNothing() throws {
        try #require(getuid() == 0, "mounting a small tmpfs takes root")
        let scratch = try Scratch()
        let state = scratch.path + "/small"
        try #require(unsafe mkdir(state, 0o755) == 0)
        try #require(unsafe mount("tmpfs", state, "tmpfs", 0, "size=64k") == 0)
        defer { unsafe umount2(state, Int32(MNT_DETACH)) }
        let store = ImageStore(state: state)
        let draft = try store.draft(debian)
        try Scratch.write("kernel", to: draft.files + "/kernel")
        try Scratch.write("initramfs", to: draft.files + "/initramfs")
        try Scratch.write("packages", to: draft.files + "/packages.txt")
        try Scratch.write("root", to: draft.files + "/root.squashfs")
        // What is left goes to somebody else, so that the manifest finds no room.
        var blocks = 0
        while (try? Scratch.write("x", to: state + "/filler\(blocks)")) != nil { blocks += 1 }
        #expect {
            _ = try draft.publish(Scratch.description)
        } throws: { error in
            guard case ImageStoreError.noSpace(_, let room) = error else { return false }
            return room.mountPoint == state && "\(error)".contains("0 bytes free of 64.0 KiB")
        }
        #expect(try store.names() == [])
        for filler in 0..<blocks { unsafe unlink(state + "/filler\(filler)") }
        #expect(try scratch.publish(debian, in: store).version.id.number == 1)
    }
}
