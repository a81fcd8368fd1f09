import BootModel
import Foundation
import OverlayFiles
import Testing

struct PeopleSetTests {
    private let library = FileSetLibrary(directories: [])

    @Test func nobodyIsLoggedInUnlessNamed() throws {
        let none = try library.tree(for: sampleBoot(), sets: ["autologin"])
        #expect(none["run/diskless/prepare.d/60-autologin"]?.text?.contains("login -f") == false)
        var settings = Settings()
        settings.autologin = UserName("show")
        let script = try library.tree(for: sampleBoot(settings: settings), sets: ["base"])
        #expect(script["run/diskless/prepare.d/60-autologin"]?.text?.contains("exec login -f show\n") == true)
    }

    private func ldap(_ variables: [String: String]) throws -> OverlayTree {
        var settings = Settings()
        settings.variables = Dictionary(
            uniqueKeysWithValues: try variables.map { (try #require(VariableName($0)), .text($1)) }
        )
        return try library.tree(for: sampleBoot(settings: settings), sets: ["ldap"])
    }

    @Test func aDirectoryServiceComesFromVariables() throws {
        let small = try ldap(["ldap_uri": "ldaps://a,ldaps://b", "ldap_base": "dc=lab"])
        let file = try #require(small["etc/sssd/sssd.conf"])
        // What it holds may be secret by what a room adds to it.
        #expect(file.permissions == 0o600 && file.isSecret)
        let text = try #require(file.text)
        #expect(text.contains("\nldap_uri = ldaps://a,ldaps://b\nldap_search_base = dc=lab\nldap_schema = rfc2307\n"))
        #expect(text.contains("\noverride_homedir = /home/%u\n"))
        #expect(!text.contains("bind_dn") && !text.contains("cacert"))
        let whole = try ldap([
            "ldap_uri": "ldap://a", "ldap_base": "dc=lab", "ldap_schema": "ad", "ldap_ca_file": "/etc/ca.pem",
            "ldap_bind_dn": "cn=reader", "ldap_home": "/srv/%u",
        ])
        let lines = try #require(whole["etc/sssd/sssd.conf"]?.text).split(separator: "\n")
        for line in [
            "ldap_schema = ad", "ldap_tls_cacert = /etc/ca.pem", "ldap_default_bind_dn = cn=reader",
            "override_homedir = /srv/%u",
        ] { #expect(lines.contains(Substring(line))) }
    }

    @Test func withoutItsVariablesItNamesThem() throws {
        let problem = #expect(throws: OverlayProblem.self) { try ldap(["ldap_uri": "ldap://a"]) }
        #expect(problem?.description.contains("ldap_base") == true)
    }

    /// Lines of inittab(5) of several systems, through the script's own words.
    @Test(
        .enabled(if: FileManager.default.fileExists(atPath: "/bin/busybox"), "busybox missing: install busybox-static")
    )
    func linesOfTheFirstConsoleAlone() throws {
        var settings = Settings()
        settings.autologin = UserName("show")
        let tree = try library.tree(for: sampleBoot(settings: settings), sets: ["autologin"])
        let script = try #require(tree["run/diskless/prepare.d/60-autologin"]?.text)
        let start = try #require(script.range(of: "'s|^([^#]*getty)"))
        let end = try #require(script.range(of: "'\n", range: start.upperBound..<script.endIndex))
        let words = String(script[start.lowerBound..<end.lowerBound].dropFirst())
        let folder = try Folder()
        try folder.write(
            "inittab",
            """
            1:2345:respawn:/sbin/getty 38400 tty1
            2:23:respawn:/sbin/getty 38400 tty2
            #1:2345:respawn:/sbin/getty 38400 tty1
            tty1::respawn:/sbin/getty 38400 tty1 linux
            c1:12345:respawn:/sbin/agetty --noclear 38400 tty1 linux
            S0:2345:respawn:/sbin/getty -L ttyS0 115200 vt100
            x:2345:respawn:/sbin/getty 38400 tty10

            """
        )
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/busybox")
        process.arguments = ["sed", "-E", words, folder.path + "/inittab"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let own = " -n -l /run/diskless/autologin"
        #expect(
            text == """
                1:2345:respawn:/sbin/getty\(own) 38400 tty1
                2:23:respawn:/sbin/getty 38400 tty2
                #1:2345:respawn:/sbin/getty 38400 tty1
                tty1::respawn:/sbin/getty\(own) 38400 tty1 linux
                c1:12345:respawn:/sbin/agetty\(own) --noclear 38400 tty1 linux
                S0:2345:respawn:/sbin/getty -L ttyS0 115200 vt100
                x:2345:respawn:/sbin/getty 38400 tty10

                """
        )
    }
}
