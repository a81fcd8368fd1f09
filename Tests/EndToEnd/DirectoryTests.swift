import Foundation
import Testing
import VirtualLab

/// People of a directory service log in to nodes: sssd in the image, configured by the set `ldap`, against slapd.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct DirectoryMatrixTests {
    @Test(.timeLimit(.minutes(20)), arguments: Repository.whole(["e2e-sssd"]))
    func peopleOfTheDirectoryLogIn(image: String) throws {
        let lab = try EndToEndLab("ldap", images: [.sssd])
        defer { lab.lab.close() }
        let directory = try Directory(lab)
        try directory.start()
        try writeSet(lab, directory)
        try lab.server.apply(
            """
            profiles:
              - name: default
                image: \(image)
                files: [ldap, room]
                variables:
                  ldap_uri: ldaps://10.77.0.1
                  ldap_base: "dc=lab,dc=example"
                  ldap_ca_file: /etc/ssl/certs/lab.pem
                  ldap_bind_dn: "cn=reader,dc=lab,dc=example"
            nodes:
              - {name: dora, mac: ["\(EndToEndLab.mac(1))"]}
            users:
              - {name: eva, uid: 1001}
            """
        )
        let dora = try lab.node("dora", number: 1)
        try dora.machine.powerOn()
        try dora.login()
        #expect(try dora.run("stat -c %a:%U /etc/sssd/sssd.conf /etc/sssd/conf.d/bind.conf") == "600:root\n600:root")
        #expect(
            try dora.run("for i in $(seq 30); do getent passwd lena && break; sleep 1; done")
                == "lena:*:7001:7001:Lena:/home/lena:/bin/bash"
        )
        #expect(try dora.run("id lena") == "uid=7001(lena) gid=7001(pupils) groups=7001(pupils)")
        // The fleet's own people are there beside them.
        #expect(try dora.run("getent passwd eva | cut -d: -f1,3") == "eva:1001")

        let address = try dora.run("ip -4 -o addr show dev eth0 | awk '{print $4}' | cut -d/ -f1")
        let login = try ssh(lab, address, password: Directory.password, "id -un; pwd; touch mine; ls")
        #expect(login == "lena\n/home/lena\nmine\ncode 0", "\(login)")
        #expect(try ssh(lab, address, password: "wrong", "id -un").contains("Permission denied"))

        // The password with which the node asks is shown nowhere.
        let program = try #require(Repository.program)
        for words in [["files", "render", "dora", "--json"], ["node", "show", "dora", "--json"], ["export"]] {
            let shown = try lab.lab.server.run([program] + words + ["--state", lab.server.state])
            #expect(!shown.contains(Directory.readerPassword))
        }

        // A directory that is away: who was there before still gets in.
        directory.stop()
        let cached = try ssh(lab, address, password: Directory.password, "id -un")
        #expect(cached == "lena\ncode 0", "\(cached)")
        #expect(try dora.rootErrors() == "")
    }

    /// A set that is not complete is told before a node boots.
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["e2e"]))
    func missingVariableIsNamed(image: String) throws {
        let lab = try EndToEndLab("ldap-missing", images: [.ram])
        defer { lab.lab.close() }
        try lab.server.apply("nodes:\n  - {name: dora, mac: [\"\(EndToEndLab.mac(1))\"], files: [ldap]}\n")
        let program = try #require(Repository.program)
        let said = try lab.lab.server.run([
            "sh", "-c", "\(program) files render dora --state \(lab.server.state) 2>&1 || true",
        ])
        #expect(said.contains("ldap_uri") && said.contains("etc/sssd/sssd.conf"), "\(said)")
    }

    /// What is the room's own: the directory's certificate, and the password that the node asks with.
    private func writeSet(_ lab: EndToEndLab, _ directory: Directory) throws {
        let set = "\(lab.server.state)/files/room/etc"
        for folder in ["\(set)/ssl/certs", "\(set)/sssd/conf.d"] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        try FileManager.default.copyItem(atPath: directory.certificate, toPath: "\(set)/ssl/certs/lab.pem")
        let bind = "\(set)/sssd/conf.d/bind.conf"
        try "[domain/default]\nldap_default_authtok = \(Directory.readerPassword)\n".write(
            toFile: bind,
            atomically: false,
            encoding: .utf8
        )
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: bind)
    }

    private func ssh(_ lab: EndToEndLab, _ address: String, password: String, _ command: String) throws -> String {
        let ask = "\(lab.lab.directory)/ask"
        try "#!/bin/sh\necho '\(password)'\n".write(toFile: ask, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: ask)
        let words = """
            SSH_ASKPASS=\(ask) SSH_ASKPASS_REQUIRE=force ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
            -o LogLevel=ERROR -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 lena@\(address) '\(command)' \
            </dev/null 2>&1; echo "code $?"
            """
        return try lab.lab.server.run(["sh", "-c", words], limit: .seconds(120)).trimmingCharacters(in: .newlines)
    }
}

/// slapd on the lab's server, over TLS, with one person and one group; whoever asks must name itself.
private final class Directory {
    static let password = "lenas-Password"
    static let readerPassword = "the-Readers-Password"

    private let lab: EndToEndLab
    private let folder: String
    private var process: LabProcess?
    var certificate: String { "\(folder)/server.pem" }

    init(_ lab: EndToEndLab) throws {
        self.lab = lab
        folder = "\(lab.lab.directory)/slapd"
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: "\(folder)/db", withIntermediateDirectories: true)
        try lab.lab.server.run([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=directory",
            "-addext",
            "subjectAltName=IP:10.77.0.1", "-keyout", "\(folder)/key.pem", "-out", certificate,
        ])
        try Self.configuration(folder).write(toFile: "\(folder)/slapd.conf", atomically: false, encoding: .utf8)
        try Self.entries.write(toFile: "\(folder)/entries.ldif", atomically: false, encoding: .utf8)
        try lab.lab.server.run(["/usr/sbin/slapadd", "-f", "\(folder)/slapd.conf", "-l", "\(folder)/entries.ldif"])
    }

    func start() throws {
        process = try lab.lab.server.start(
            ["/usr/sbin/slapd", "-f", "\(folder)/slapd.conf", "-h", "ldaps://10.77.0.1:636/", "-d", "0"],
            log: "\(folder)/slapd.log"
        )
    }

    func stop() { process?.stop() }

    private static func configuration(_ folder: String) -> String {
        """
        include /etc/ldap/schema/core.schema
        include /etc/ldap/schema/cosine.schema
        include /etc/ldap/schema/nis.schema
        include /etc/ldap/schema/inetorgperson.schema
        pidfile \(folder)/slapd.pid
        modulepath /usr/lib/ldap
        moduleload back_mdb
        TLSCertificateFile \(folder)/server.pem
        TLSCertificateKeyFile \(folder)/key.pem
        database mdb
        maxsize 10485760
        suffix "dc=lab,dc=example"
        rootdn "cn=admin,dc=lab,dc=example"
        directory \(folder)/db
        access to attrs=userPassword by anonymous auth by * none
        access to * by dn.exact="cn=reader,dc=lab,dc=example" read by * none

        """
    }

    private static let entries = """
        dn: dc=lab,dc=example
        objectClass: dcObject
        objectClass: organization
        dc: lab
        o: Lab

        dn: cn=reader,dc=lab,dc=example
        objectClass: organizationalRole
        objectClass: simpleSecurityObject
        cn: reader
        userPassword: \(readerPassword)

        dn: uid=lena,dc=lab,dc=example
        objectClass: inetOrgPerson
        objectClass: posixAccount
        uid: lena
        cn: Lena
        sn: Lena
        uidNumber: 7001
        gidNumber: 7001
        homeDirectory: /home/lena
        loginShell: /bin/bash
        userPassword: \(password)

        dn: cn=pupils,dc=lab,dc=example
        objectClass: posixGroup
        cn: pupils
        gidNumber: 7001
        memberUid: lena

        """
}

extension TestImage {
    /// With what a node needs to know the people of a directory service.
    static let sssd = TestImage(
        name: "e2e-sssd",
        format: "squashfs",
        packages: ["sssd-ldap", "libnss-sss", "libpam-sss"]
    )
}
