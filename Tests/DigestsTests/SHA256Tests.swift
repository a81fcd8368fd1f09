import CLinux
import Digests
import Testing

@Suite struct SHA256Tests {
    // FIPS 180-4's own examples.
    static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    static let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    @Test func knownAnswers() throws {
        #expect(try SHA256Digest.of(Array("abc".utf8).span).hex == Self.abc)
        #expect(try SHA256Digest.of([UInt8]().span).hex == Self.nothing)
    }

    @Test func piecesGiveTheSameDigest() throws {
        var hasher = try SHA256Hasher()
        for byte in "abc".utf8 { try hasher.update([byte].span) }
        let digest = try hasher.finish()
        #expect(digest.hex == Self.abc)
    }

    @Test func fileLongerThanOneBlock() throws {
        let path = "/tmp/diskless-digest-\(getpid())"
        defer { unsafe unlink(path) }
        let content = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000 + 3_000_000)
        let file = unsafe clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(file >= 0)
        let written = unsafe content.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
        close(file)
        #expect(written == content.count)
        let (digest, size) = try SHA256Digest.ofFile(path)
        #expect(size == 4_000_000)
        #expect(try digest == SHA256Digest.of(content.span))
    }

    @Test func missingFileSaysWhich() {
        #expect(throws: DigestError.unreadable(path: "/nonexistent/x", code: ENOENT)) {
            _ = try SHA256Digest.ofFile("/nonexistent/x")
        }
    }

    @Test func hexadecimalForm() {
        #expect(SHA256Digest(hex: Self.abc.uppercased())?.description == Self.abc)
        #expect(SHA256Digest(hex: Self.abc.dropLast()) == nil)
        #expect(SHA256Digest(hex: Self.abc.dropLast() + "g") == nil)
        #expect(SHA256Digest(bytes: [1, 2]) == nil)
    }
}
