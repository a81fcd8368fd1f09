import Testing

/// libnbd and QEMU over TLS against `diskless serve nbd`.
@Suite(
    .boundedWait,
    .enabled(if: NBDClientProgram.isThere("openssl"), "openssl is missing"),
    .enabled(if: NBDClientProgram.isThere("nbdcopy"), "nbdcopy is missing (libnbd-bin)"),
    .enabled(if: NBDClientProgram.isThere("qemu-img"), "qemu-img is missing (qemu-utils)")
)
struct NBDEncryptionTests {
    let files: TemporaryFiles
    let image: String
    static let size = 24 << 20

    init() throws {
        files = try TemporaryFiles()
        image = try files.image("image", size: Self.size, offset: 3 << 20, count: 15_000_000)
        try authority("ca")
        try certificate("server", signedBy: "ca", names: "DNS:localhost,IP:127.0.0.1")
        try certificate("client", signedBy: "ca", names: "DNS:megane")
    }

    private func run(_ command: String...) throws -> NBDClientProgram.Outcome {
        try NBDClientProgram.run(command, in: files)
    }

    private func expectSuccess(_ outcome: NBDClientProgram.Outcome) {
        #expect(outcome.status == 0, "\(outcome.output)")
    }

    private func authority(_ name: String) throws {
        expectSuccess(
            try run(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=\(name)",
                "-keyout",
                files.path("\(name)-key.pem"),
                "-out",
                files.path("\(name)-cert.pem")
            )
        )
    }

    /// A key and a certificate, named as GnuTLS's users look for them.
    private func certificate(_ name: String, signedBy authority: String, names: String) throws {
        expectSuccess(
            try run(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=\(name)",
                "-addext",
                "subjectAltName=\(names)",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-CA",
                files.path("\(authority)-cert.pem"),
                "-CAkey",
                files.path("\(authority)-key.pem"),
                "-keyout",
                files.path("\(name)-key.pem"),
                "-out",
                files.path("\(name)-cert.pem")
            )
        )
    }

    private func server(_ arguments: String...) throws -> NBDServerProcess {
        try NBDServerProcess(
            [image, "--tls-certificate", files.path("server-cert.pem"), "--tls-key", files.path("server-key.pem")]
                + arguments,
            in: files
        )
    }

    private func secureURL(_ server: NBDServerProcess) -> String {
        "nbds://127.0.0.1:\(server.port)/disk?tls-certificates=\(files.directory)"
    }

    @Test func libnbdCopiesAndQEMUCompares() throws {
        let server = try server("--tls-required")
        let copy = files.path("copy")
        expectSuccess(try run("nbdcopy", secureURL(server), copy))
        #expect(NBDClientProgram.bytes(copy) == NBDClientProgram.bytes(image))
        let credentials = "tls-creds-x509,id=tls,endpoint=client,dir=\(files.directory)"
        let export = "driver=nbd,host=127.0.0.1,port=\(server.port),export=disk,tls-creds=tls"
        let compare = try run(
            "qemu-img",
            "compare",
            "--object",
            credentials,
            "--image-opts",
            "driver=raw,file.filename=\(image)",
            "driver=raw,file.\(export.replacing(",", with: ",file."))"
        )
        expectSuccess(compare)
        let info = try run("nbdinfo", secureURL(server))
        #expect(info.output.contains("with TLS"), "\(info.output)")
    }

    @Test func writesAndFlushesPassThroughTheTunnel() throws {
        let target = try files.image("target", size: Self.size, offset: 1, count: 1_000_000)
        let server = try NBDServerProcess(
            [
                target, "--writable", "--tls-certificate", files.path("server-cert.pem"), "--tls-key",
                files.path("server-key.pem"),
            ],
            in: files
        )
        expectSuccess(try run("nbdcopy", "--flush", image, secureURL(server)))
        #expect(NBDClientProgram.bytes(target) == NBDClientProgram.bytes(image))
    }

    @Test func theClearIsAllowedUnlessTLSIsRequired() throws {
        let lenient = try server()
        expectSuccess(try run("nbdinfo", lenient.url))
        let strict = try server("--tls-required")
        let refused = try run("nbdinfo", strict.url)
        #expect(refused.status != 0)
        #expect(refused.output.lowercased().contains("tls"), "\(refused.output)")
    }

    @Test func onlyClientsOfTheAuthorityGetIn() throws {
        let server = try server("--tls-required", "--tls-authority", files.path("ca-cert.pem"))
        expectSuccess(try run("nbdinfo", "--size", secureURL(server)))
        // The same server, and a client with a certificate of an authority of its own.
        try authority("stranger")
        try certificate("client", signedBy: "stranger", names: "DNS:stranger")
        #expect(try run("nbdinfo", "--size", secureURL(server)).status != 0)
        try certificate("client", signedBy: "ca", names: "DNS:megane")
        expectSuccess(try run("nbdinfo", "--size", secureURL(server)))
    }

    @Test func aKeyOfAnotherCertificateIsNamed() throws {
        let outcome = try run(
            BuiltProgram.path,
            "serve",
            "nbd",
            image,
            "--listen",
            "127.0.0.1:0",
            "--tls-certificate",
            files.path("server-cert.pem"),
            "--tls-key",
            files.path("client-key.pem")
        )
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("\(files.path("client-key.pem")) cannot be used with the certificate"))
    }
}
