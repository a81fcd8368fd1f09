import BootModel
import CLinux
import ImageStore
import Testing

@Suite struct CatalogTests {
    let debian = ImageName(checked: "debian")

    @Test func referencesNameVersions() throws {
        let scratch = try Scratch()
        let store = ImageStore(state: scratch.path)
        let catalog: any ImageCatalog = store
        #expect(try catalog.newest() == nil)
        #expect(try catalog.versions() == [])
        for _ in 1...11 { try scratch.publish(debian, in: store) }
        try scratch.publish(ImageName(checked: "kiosk"), in: store)
        // By number, not by text: 11 comes after 2.
        #expect(try catalog.resolve(.newest(debian))?.id.number == 11)
        #expect(try catalog.resolve(.version(ImageVersionID(debian, 2)))?.id.number == 2)
        #expect(try catalog.resolve(.version(ImageVersionID(debian, 12))) == nil)
        #expect(try catalog.resolve(.tag(debian, "lab")) == nil)
        #expect(try catalog.newest()?.id.description == "kiosk@1")
        #expect(try catalog.versions().map(\.id.description).suffix(2) == ["debian@11", "kiosk@1"])
    }

    @Test func unknownImagesAreSaidInOneLine() throws {
        let scratch = try Scratch()
        let store = ImageStore(state: scratch.path)
        func line(_ reference: String) throws -> String {
            let reference = try #require(ImageReference(reference))
            do {
                _ = try store.manifest(for: reference)
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(try line("debina") == "there is no image \"debina\": make it with \"diskless image build debina\"")
        try scratch.publish(debian, in: store)
        #expect(try line("debina") == "there is no image \"debina\"; there are: debian")
        #expect(try line("debian@7") == "there is no version debian@7; debian has 1")
        #expect(try line("debian:lab") == "image \"debian\" has no tag \"lab\"")
    }

    @Test func checkFindsWhatChanged() throws {
        let scratch = try Scratch()
        let store = ImageStore(state: scratch.path)
        let id = try scratch.publish(debian, in: store).version.id
        #expect(try store.check(id) == [])
        let path = store.path(of: id)
        try #require(unsafe chmod(path + "/kernel", 0o644) == 0 && chmod(path + "/root.squashfs", 0o644) == 0)
        try Scratch.write("kernal", to: path + "/kernel")
        try Scratch.write("longer root", to: path + "/root.squashfs")
        try #require(unsafe unlink(path + "/initramfs") == 0)
        let faults = try store.check(id)
        #expect(faults.map(\.path) == ["initramfs", "kernel", "root.squashfs"].map { path + "/" + $0 })
        #expect(faults[0].kind == .missing)
        #expect(faults[1].description.contains("its manifest says"))
        #expect(faults[2].kind == .size(expected: 4, found: 11))
    }

    @Test func removalAsksForItsUsers() throws {
        let scratch = try Scratch()
        let store = ImageStore(state: scratch.path)
        let id = try scratch.publish(debian, in: store).version.id
        #expect(throws: ImageStoreError.inUse(id, nodes: ["megane"])) {
            try store.remove(id) { _ in ["megane"] }
        }
        #expect(try store.numbers(of: debian) == [1])
        try store.remove(id, force: true) { _ in ["megane"] }
        #expect(!scratch.exists("images/debian/1"))
        #expect(throws: ImageStoreError.unknownImage(debian, known: [])) { try store.remove(id) { _ in [] } }
        #expect(throws: ImageStoreError.unknownImage(debian, known: [])) { _ = try store.manifest(of: id) }
    }
}
