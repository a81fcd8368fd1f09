import FAT
import Foundation
import Testing

/// Whether a program of another package is there to read what we wrote.
private func tool(_ name: String) -> String? {
    ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map { "\($0)/\(name)" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }
}

/// Runs a program and gives what it printed.
private func run(_ command: String...) throws -> (code: Int32, output: Data) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: try #require(tool(command[0])))
    process.arguments = Array(command.dropFirst())
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, output)
}

@Suite struct FATImageTests {
    /// The image's bytes, each file filled with a pattern of its own.
    private func bytes(_ image: FATImage, _ files: [FATImage.File]) -> Data {
        var data = Data()
        for piece in image.pieces {
            switch piece {
            case .bytes(let bytes): data.append(contentsOf: bytes)
            case .zeros(let count): data.append(Data(count: Int(count)))
            case .file(let index): data.append(content(index, files[index].size))
            }
        }
        return data
    }

    private func content(_ index: Int, _ size: UInt64) -> Data {
        Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9 &+ UInt64(index)) })
    }

    private static let sets: [[FATImage.File]] = [
        [.init("a", size: 0)],
        [
            .init("EFI/BOOT/BOOTX64.EFI", size: 1024), .init("EFI/BOOT/grubx64.efi", size: 511),
            .init("EFI/debian/grub.cfg", size: 513),
            .init("images/debian-with-a-long-name.v2/12/initramfs", size: 70_001),
            .init("images/debian-with-a-long-name.v2/12/kernel", size: 3_000_000), .init("empty", size: 0),
        ],
        (0..<300).map { .init("many/a file with a name \($0).text", size: UInt64($0)) },
    ]

    @Test(
        .enabled(if: tool("fsck.fat") != nil && tool("mtype") != nil, "dosfstools or mtools missing"),
        arguments: sets
    )
    func othersReadIt(files: [FATImage.File]) throws {
        let image = try FATImage(files: files, label: "DISKLESS", volumeID: 0x1234_abcd, room: 100_000)
        let data = bytes(image, files)
        #expect(UInt64(data.count) == image.size)
        let path = NSTemporaryDirectory() + "fat-\(UUID().uuidString).img"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try data.write(to: URL(fileURLWithPath: path))
        let check = try run("fsck.fat", "-n", "-v", path)
        #expect(check.code == 0, "\(String(decoding: check.output, as: UTF8.self))")
        for (index, file) in files.enumerated() {
            let read = try run("mtype", "-i", path, "::\(file.path)")
            #expect(read.output == content(index, file.size), "\(file.path)")
        }
    }

    @Test func largeImagesGetLargerClusters() throws {
        for megabytes in [1, 31, 40, 64, 200, 1500] as [UInt64] {
            let files = [FATImage.File("kernel", size: megabytes << 20)]
            let image = try FATImage(files: files, label: "X")
            #expect(image.size > megabytes << 20)
            #expect(image.size < max(megabytes << 20 + 2 << 20, 3 << 20) + megabytes << 14, "\(megabytes)")
        }
    }

    @Test func roomKeepsTheSize() throws {
        func size(_ bytes: UInt64, _ room: UInt64) throws -> UInt64 {
            try FATImage(files: [.init("k", size: 9 << 20), .init("o", size: bytes)], label: "X", room: room).size
        }
        #expect(try size(1000, 2000) == size(2000, 1000))
    }

    @Test func refusals() {
        let cases: [([FATImage.File], FATError)] = [
            ([.init("a", size: 1 << 31)], .fileTooLarge("a")),
            ([.init("a/../b", size: 1)], .badName("a/../b")),
            ([.init("", size: 1)], .badName("")),
            ([.init("a:b", size: 1)], .badName("a:b")),
            ([.init("A", size: 1), .init("a", size: 1)], .twice("a")),
            ([.init("a", size: 1), .init("a/b", size: 1)], .twice("a/b")),
            ([.init("a", size: 1 << 30), .init("b", size: 1 << 30)], .tooLarge(1 << 31)),
            ((0..<400).map { .init("file number \($0)", size: 0) }, .rootFull),
        ]
        for (files, error) in cases {
            #expect(throws: error) { try FATImage(files: files, label: "X") }
        }
    }
}
