import TFTP
import Testing

@Suite struct TFTPFileNameTests {
    @Test(arguments: [
        ("ipxe.efi", "ipxe.efi"), ("/ipxe.efi", "ipxe.efi"), (#"\boot\bcd"#, "boot/bcd"), ("//a///b/", "a/b"),
        ("./a/./b", "a/b"), ("undionly.kpxe   ", "undionly.kpxe"), ("..a/b..", "..a/b.."),
    ]) func cleans(name: String, path: String) throws {
        #expect(try TFTPFileName(name).path == path)
    }

    /// Some ROMs send the 0xFF that ends the DHCP options as part of the name.
    @Test func dropsTheOptionEndMark() throws {
        #expect(try TFTPFileName(Array("snponly.efi".utf8) + [0xFF, 0xFF]).path == "snponly.efi")
    }

    @Test(arguments: ["../../etc/shadow", #"..\..\etc\shadow"#, "a/../b", "/.."]) func staysInside(name: String) {
        #expect(throws: TFTPFileName.Problem.leavesDirectory) { try TFTPFileName(name) }
    }

    @Test func refusesWhatIsNoName() {
        #expect(throws: TFTPFileName.Problem.empty) { try TFTPFileName("/") }
        #expect(throws: TFTPFileName.Problem.empty) { try TFTPFileName("") }
        #expect(throws: TFTPFileName.Problem.notText) { try TFTPFileName([0x61, 0xC3, 0x28]) }
        // What ends a line of a log or moves the cursor of a terminal is no name either.
        for text in ["a\nb", "a\u{9b}2Jb", "a\u{202e}b", "a\u{2028}b"] {
            #expect(throws: TFTPFileName.Problem.notText) { try TFTPFileName(text) }
        }
    }

    @Test func netasciiWritesLineEnds() {
        #expect(Netascii.encode(Array("a\nb\rc".utf8)) == Array("a\r\nb\r\0c".utf8))
    }
}
