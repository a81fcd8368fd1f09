import BootModel
import CLinux
import ImageStore
import Testing

@Suite struct ManifestTests {
    let id = ImageVersionID(ImageName(checked: "debian"), 1)

    /// A store with one version whose manifest's text went through `change`.
    private func store(_ scratch: Scratch, changing change: (String) -> String) throws -> ImageStore {
        try scratch.publish(id.name, in: ImageStore(state: scratch.path))
        let text = try scratch.read("images/debian/1/manifest.json")
        let path = scratch.path + "/images/debian/1/manifest.json"
        try #require(unsafe chmod(path, 0o644) == 0)
        try Scratch.write(change(text), to: path)
        return ImageStore(state: scratch.path)
    }

    @Test func keysAreInOrder() throws {
        let scratch = try Scratch()
        try scratch.publish(id.name, in: ImageStore(state: scratch.path))
        let lines = try scratch.read("images/debian/1/manifest.json").split(separator: "\n")
        let keys = lines.filter { $0.hasPrefix("  \"") }.map { $0.split(separator: "\"")[1] }
        #expect(keys == keys.sorted())
        #expect(keys.contains("schema") && keys.contains("provenance"))
    }

    @Test func newerSchemaIsRefused() throws {
        let scratch = try Scratch()
        let store = try store(scratch) { $0.replacing("\"schema\" : 1", with: "\"schema\" : 2") }
        let path = scratch.path + "/images/debian/1/manifest.json"
        #expect(throws: ImageStoreError.newerSchema(path: path, schema: 2)) { _ = try store.manifest(of: id) }
        // The rest of the store works on.
        try scratch.publish(id.name, in: store)
        #expect(try store.versions().map(\.id.number) == [2])
        #expect(try store.list().problems.map { "\($0)" }.first?.contains("reads up to 1") == true)
    }

    @Test(arguments: [
        ("\"kernel\",", "\"../../etc/shadow\",", "is not a file name"),
        ("\"schema\" : 1", "\"schema\" : ", "damaged"),
        ("\"number\" : 1", "\"number\" : 7", "it describes debian@7"),
        ("\"number\" : 1", "\"number\" : -1", "numbers begin at 1"),
        ("\"architecture\" : \"amd64\",", "", "\"architecture\" is missing"),
    ])
    func damageIsSaid(old: String, new: String, message: String) throws {
        let scratch = try Scratch()
        let store = try store(scratch) { $0.replacing(old, with: new) }
        #expect {
            _ = try store.manifest(of: id)
        } throws: { error in
            "\(error)".contains(message) && !"\(error)".contains("\n")
        }
    }
}

extension String {
    fileprivate func replacing(_ old: String, with new: String) -> String {
        guard let range = self.firstRange(of: old) else { return self }
        return String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}
