import Testing

@testable import FileTree

@Suite("File handles")
struct FileHandleTests {
    private func key(_ first: UInt8 = 0) throws -> HandleKey {
        try #require(HandleKey(bytes: (0..<16).map { UInt8($0) ^ first }))
    }

    private var kernel: KernelHandle {
        var kernel = KernelHandle()
        kernel.count = 8
        kernel.type = 1
        kernel.words[0] = 0x1122_3344_5566_7788
        return kernel
    }

    /// The first lines of the reference vectors that the authors of SipHash-2-4 publish.
    @Test("The seal's function is SipHash-2-4", arguments: [(0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd)])
    func sipHash(length: Int, expected: UInt64) throws {
        #expect(try key().hash((0..<length).map { UInt8($0) }) == expected)
        #expect(try key().hash((0..<15).map { UInt8($0) }) == 0xa129_ca61_49be_45e5)
    }

    @Test("A handle is as long as the kernel's needs, and comes back from its words")
    func form() throws {
        let handle = FileHandle(export: 7, kernel: kernel, key: try key())
        #expect(handle.count == 32)
        #expect(handle.export == 7)
        let again = try #require(FileHandle(words: handle.words, count: 32))
        #expect(again == handle)
        let key = try key()
        #expect(again.isSealed(by: key))
        #expect(FileHandle(words: handle.words, count: 31) == nil)
        #expect(FileHandle(words: InlineArray(repeating: 0), count: 0) == nil)
    }

    @Test("A change of any bit, another export or another key breaks the seal")
    func seal() throws {
        let handle = FileHandle(export: 7, kernel: kernel, key: try key())
        let (own, other) = (try key(), try key(1))
        #expect(!handle.isSealed(by: other))
        for word in 0..<8 where word != 2 {
            for bit in [0, 17, 40, 63] as [UInt64] {
                var forged = handle
                forged.words[word] ^= 1 << bit
                #expect(!forged.isSealed(by: own))
            }
        }
    }
}
