import Testing

@testable import ImageBuilder

@Suite struct AptSourceTests {
    static let bookworm = """
        Types: deb deb-src
        # the archive itself
        URIs: http://deb.debian.org/debian
        Suites: bookworm bookworm-updates
        Components: main contrib
        Architectures: amd64
        Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

        Types: deb
        URIs: http://deb.debian.org/debian-security
        Suites: bookworm-security
        Components: main

        Enabled: no
        Types: deb
        URIs: http://example.org/off
        Suites: bookworm
        Components: main
        """

    @Test func stanzas() {
        let sources = AptSourceList.deb822(Self.bookworm)
        #expect(sources.count == 2)
        #expect(sources[0].types == ["deb", "deb-src"])
        #expect(sources[0].suites == ["bookworm", "bookworm-updates"])
        #expect(sources[0].option("signed-by") == AptSourceChoice.keyring)
        #expect(AptSourceList.deb822(sources.map(\.deb822).joined(separator: "\n")) == sources)
    }

    @Test func continuedFields() {
        let key = "Types: deb\nURIs: http://a\nSuites: x\nComponents: main\nSigned-By:\n -----BEGIN\n .\n -----END\n"
        #expect(AptSourceList.deb822(key)[0].option("Signed-By") == "\n -----BEGIN\n .\n -----END")
    }

    @Test func lines() {
        let sources = AptSourceList.oneLine(
            """
            # deb http://off bookworm main
            deb [ arch=amd64 signed-by=/a.gpg,/b.gpg ] http://mirror/debian bookworm main non-free # why
            deb [trusted=yes] http://flat ./
            deb-src http://mirror/debian bookworm main
            nonsense
            """
        )
        #expect(sources.map(\.uris) == [["http://mirror/debian"], ["http://flat"], ["http://mirror/debian"]])
        #expect(sources[0].option("Signed-By") == "/a.gpg /b.gpg")
        #expect(sources[0].components == ["main", "non-free"])
        #expect(sources[1].option("Trusted") == "yes")
    }

    private func chosen(_ suite: String, mirror: String? = nil, _ text: String, _ codename: String?) -> [String] {
        AptSourceChoice.sources(suite: suite, mirror: mirror, host: (AptSourceList.deb822(text), codename))
            .flatMap { source in source.suites.map { "\(source.uris[0]) \($0)" } }
    }

    @Test func hostsOwnSources() {
        let sources = AptSourceChoice.sources(
            suite: "bookworm",
            mirror: nil,
            host: (AptSourceList.deb822(Self.bookworm), "bookworm")
        )
        #expect(sources.map(\.suites) == [["bookworm", "bookworm-updates"], ["bookworm-security"]])
        #expect(sources[0].types == ["deb"])
        #expect(sources[0].option("Architectures") == nil)
    }

    @Test func anotherReleaseFromTheSamePlace() {
        #expect(
            chosen("trixie", Self.bookworm, "bookworm") == [
                "http://deb.debian.org/debian trixie", "http://deb.debian.org/debian trixie-updates",
                "http://deb.debian.org/debian-security trixie-security",
            ]
        )
        #expect(chosen("sid", Self.bookworm, "bookworm") == ["http://deb.debian.org/debian sid"])
    }

    @Test func otherPeoplesArchivesStayOut() {
        let other = """
            Types: deb
            URIs: https://packages.example.com/debian
            Suites: bookworm
            Components: main
            Signed-By: /etc/apt/keyrings/example.gpg
            """
        #expect(chosen("bookworm", other, "bookworm").first == "\(AptSourceChoice.debian) bookworm")
        #expect(!chosen("bookworm", Self.bookworm + "\n\n" + other, "bookworm").contains { $0.contains("example.com") })
    }

    @Test func otherDistributionsGetDebiansServers() {
        #expect(
            chosen(
                "bookworm",
                "Types: deb\nURIs: http://archive.ubuntu.com/ubuntu\nSuites: noble\nComponents: main",
                nil
            )
                == [
                    "http://deb.debian.org/debian bookworm", "http://deb.debian.org/debian bookworm-updates",
                    "http://deb.debian.org/debian-security bookworm-security",
                ]
        )
    }

    @Test func aMirrorIsTakenAtItsWord() {
        #expect(
            chosen("bookworm", mirror: "http://m/debian", Self.bookworm, "bookworm") == ["http://m/debian bookworm"]
        )
    }

    @Test func codename() {
        #expect(HostApt.codename(osRelease: "ID=debian\nVERSION_CODENAME=\"trixie\"\n") == "trixie")
        #expect(HostApt.codename(osRelease: "ID=ubuntu\nVERSION_CODENAME=noble\n") == nil)
    }

    @Test func transportIsCarriedOver() {
        let dump = """
            APT::Install-Recommends "1";
            Acquire::http::Proxy "http://proxy:3142";
            Acquire::http::Proxy::deb.debian.org "DIRECT";
            Acquire::https::CAInfo "/etc/ssl/company.pem";
            Acquire::http::Dl-Limit "10";
            Acquire::http::Proxy "";
            Acquire::Retries "3";
            """
        #expect(HostApt.transport(dump: dump).count == 4)
    }
}
