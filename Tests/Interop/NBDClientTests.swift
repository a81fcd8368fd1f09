import Testing

/// libnbd's and QEMU's programs against `diskless serve nbd`.
@Suite(.boundedWait) struct NBDClientTests {
    let files: TemporaryFiles
    let image: String
    static let size = 48 << 20

    init() throws {
        files = try TemporaryFiles()
        image = try files.image("image", size: Self.size, offset: 8 << 20, count: 20_000_000)
    }

    private func run(_ command: String...) throws -> NBDClientProgram.Outcome {
        try NBDClientProgram.run(command, in: files)
    }

    private func expectSuccess(_ outcome: NBDClientProgram.Outcome) {
        #expect(outcome.status == 0, "\(outcome.output)")
    }

    @Test(.enabled(if: NBDClientProgram.isThere("nbdinfo"), "nbdinfo is missing (libnbd-bin)"))
    func nbdinfoSeesWhatWeAnnounce() throws {
        let server = try NBDServerProcess([image], in: files)
        let json = try run("nbdinfo", "--json", server.url)
        expectSuccess(json)
        for line in [
            "\"protocol\": \"newstyle-fixed\"", "\"structured\": true", "\"is_read_only\": true",
            "\"can_multi_conn\": true", "\"block_size_preferred\": 4096", "\"export-size\": \(Self.size)",
            "\"base:allocation\"", "\"description\": \"\(image)\"",
        ] { #expect(json.output.contains(line), "\(line) in \(json.output)") }
        let list = try run("nbdinfo", "--list", server.url)
        expectSuccess(list)
        #expect(list.output.contains("export=\"\""))
    }

    @Test(.enabled(if: NBDClientProgram.isThere("nbdinfo"), "nbdinfo is missing (libnbd-bin)"))
    func nbdinfoMapShowsHoles() throws {
        let server = try NBDServerProcess([image], in: files)
        let map = try run("nbdinfo", "--map", server.url)
        expectSuccess(map)
        let kinds = map.output.split(separator: "\n").map { $0.split(separator: " ").last.map(String.init) ?? "" }
        #expect(kinds == ["hole,zero", "data", "hole,zero"])
    }

    @Test(.enabled(if: NBDClientProgram.isThere("nbdcopy"), "nbdcopy is missing (libnbd-bin)"))
    func nbdcopyBothWays() throws {
        let server = try NBDServerProcess([image], in: files)
        let copy = files.path("copy")
        expectSuccess(try run("nbdcopy", server.url, copy))
        #expect(NBDClientProgram.bytes(copy) == NBDClientProgram.bytes(image))
        let target = try files.image("target", size: Self.size, offset: 1, count: 1_000_000)
        let writable = try NBDServerProcess([target, "--writable"], in: files)
        expectSuccess(try run("nbdcopy", "--flush", copy, writable.url))
        #expect(NBDClientProgram.bytes(target) == NBDClientProgram.bytes(image))
    }

    @Test(.enabled(if: NBDClientProgram.isThere("qemu-img"), "qemu-img is missing (qemu-utils)"))
    func qemuImgConvertsAndCompares() throws {
        let target = try files.image("target", size: Self.size, offset: 1, count: 1_000_000)
        let server = try NBDServerProcess([target, "--writable"], in: files)
        expectSuccess(try run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image, server.url))
        expectSuccess(try run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, server.url))
        let info = try run("qemu-img", "info", server.url)
        expectSuccess(info)
        #expect(info.output.contains("(\(Self.size) bytes)"))
    }

    @Test(
        .enabled(if: NBDClientProgram.isThere("qemu-io"), "qemu-io is missing (qemu-utils)"),
        arguments: ["--writable", "--cow"]
    )
    func qemuIOReadsBackWhatItWroteAfterAKill(mode: String) throws {
        let before = NBDClientProgram.bytes(image)
        let server = try NBDServerProcess([image, mode] + (mode == "--cow" ? [files.path("layer")] : []), in: files)
        let write = try run(
            "qemu-io",
            "-f",
            "raw",
            "-c",
            "write -P 7 1000 5000",
            "-c",
            "write -z 1M 1M",
            "-c",
            "discard 9M 1M",
            "-c",
            "write -f -P 9 40M 3M",
            "-c",
            "read -P 7 1000 5000",
            "-c",
            "flush",
            server.url
        )
        expectSuccess(write)
        try server.crashAndRestart()
        let read = try run(
            "qemu-io",
            "-r",
            "-f",
            "raw",
            "-c",
            "read -P 7 1000 5000",
            "-c",
            "read -P 0 0 1000",
            "-c",
            "read -P 0 1M 1M",
            "-c",
            "read -P 9 40M 3M",
            server.url
        )
        expectSuccess(read)
        #expect(!read.output.contains("Pattern verification failed"), "\(read.output)")
        #expect((NBDClientProgram.bytes(image) == before) == (mode == "--cow"))
    }

    /// Four jobs, each with many requests under way, on a connection of its own: what they wrote is read back and compared.
    @Test(
        .enabled(if: NBDClientProgram.isThere("fio"), "fio is missing (fio)"),
        arguments: ["--writable", "--cow"]
    )
    func fioVerifiesWhatItWrote(mode: String) throws {
        let before = NBDClientProgram.bytes(image)
        let server = try NBDServerProcess([image, mode] + (mode == "--cow" ? [files.path("layer")] : []), in: files)
        let outcome = try run(
            "fio",
            "--ioengine=nbd",
            "--uri=\(server.url)",
            "--rw=randwrite",
            "--bsrange=512-128k",
            "--blockalign=512",
            "--iodepth=16",
            "--fsync=64",
            "--verify=crc32c",
            "--verify_fatal=1",
            // It would leave a file of each job in the folder that the tests are run from.
            "--verify_state_save=0",
            "--size=10M",
            "--offset_increment=12M",
            "--numjobs=4",
            "--name=verify"
        )
        expectSuccess(outcome)
        #expect(outcome.output.matches(of: /err= 0/).count == 4, "\(outcome.output.suffix(2000))")
        #expect((NBDClientProgram.bytes(image) == before) == (mode == "--cow"))
    }

    @Test(.enabled(if: NBDClientProgram.isThere("qemu-io"), "qemu-io is missing (qemu-utils)"))
    func aReadOnlyExportRefusesWrites() throws {
        let server = try NBDServerProcess([image], in: files)
        let write = try run("qemu-io", "-f", "raw", "-c", "write 0 4096", server.url)
        #expect(write.status != 0)
        #expect(write.output.contains("Permission denied"), "\(write.output)")
    }

    @Test func badArgumentsGetOneClearLine() throws {
        let outcome = try run(BuiltProgram.path, "serve", "nbd", "/nowhere/image")
        #expect(outcome.status != 0)
        #expect(outcome.output.contains("/nowhere/image: No such file or directory"), "\(outcome.output)")
        let both = try run(BuiltProgram.path, "serve", "nbd", image, "--writable", "--cow", files.path("x"))
        #expect(both.output.contains("choose one"), "\(both.output)")
    }
}
