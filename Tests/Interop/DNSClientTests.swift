import NetworkTypes
import Testing

/// The fleet's names as other people's resolvers see them: dig, the C library, systemd-resolved; with dnsmasq as the
/// server that names of others are asked of.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .enabled(if: NBDClientProgram.isThere("dig"), "dig missing: install bind9-dnsutils"),
    .boundedWait
) struct DNSClientTests {
    /// A server with a fleet whose DNS asks dnsmasq on the other computer.
    private func server() throws -> (ServerProcess, upstream: ClientProcess) {
        let server = try ServerProcess()
        let configuration = server.files.path("diskless.yaml")
        try MadeUpImage.write("dns: {listen: [10.77.0.1, 127.0.0.1], upstreams: [\"10.77.0.2:5300\"]}\n", configuration)
        let fleet = server.files.path("fleet.yaml")
        try MadeUpImage.write(
            """
            networks:
              - name: lab
                interface: \(TestNetwork.interface)
                subnet: 10.77.0.0/24
                dhcp: full
                pools: [10.77.0.128-10.77.0.254]
                domain: lab.example
            nodes:
              - {name: Megane, mac: "52:54:00:77:00:09", address: 10.77.0.71}
              - {name: roams, mac: "\(TestNetwork.clientMAC)"}
            """,
            fleet
        )
        let upstream = try ClientProcess(
            [
                "dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--port=5300",
                "--listen-address=10.77.0.2", "--bind-interfaces", "--user=root", "--pid-file=",
                "--host-record=www.example.org,192.0.2.9,2001:db8::9", "--cname=web.example.org,www.example.org",
                "--txt-record=big.example.org,"
                    + (0..<12).map { _ in String(repeating: "x", count: 200) }.joined(separator: ","),
                "--mx-host=example.org,mail.example.org,5", "--address=/none.example.org/", "--local-ttl=30",
            ],
            in: server.network.client
        )
        try server.start(["--config", configuration])
        let applied = try server.diskless("apply", fleet)
        #expect(applied.status == 0, "\(applied.errors)")
        return (server, upstream)
    }

    private func dig(_ server: ServerProcess, _ words: String...) throws -> String {
        let result = try server.run(["dig", "@10.77.0.1", "+time=3", "+tries=2"] + words, in: server.network.client)
        #expect(result.status == 0, "dig \(words): \(result.output)\(result.errors)")
        return result.output
    }

    @Test func dig() throws {
        let (server, upstream) = try server()
        defer { upstream.kill() }
        #expect(try dig(server, "+short", "megane.LAB.example") == "10.77.0.71\n")
        #expect(try dig(server, "+short", "+tcp", "megane.lab.example") == "10.77.0.71\n")
        #expect(try dig(server, "+short", "-x", "10.77.0.71") == "Megane.lab.example.\n")
        #expect(try dig(server, "+short", "ns.lab.example") == "10.77.0.1\n")
        #expect(try dig(server, "+short", "lab.example", "SOA").hasPrefix("ns.lab.example. hostmaster.lab.example. "))
        let missing = try dig(server, "nobody.lab.example")
        #expect(missing.contains("status: NXDOMAIN") && missing.contains("flags: qr aa rd ra;"))
        #expect(try dig(server, "megane.lab.example", "AAAA").contains("status: NOERROR"))
        #expect(try dig(server, "lab.example", "AXFR").contains("Transfer failed"))
        #expect(try dig(server, "+edns=1", "+noednsneg", "megane.lab.example").contains("status: BADVERS"))
        // Others' names.
        #expect(try dig(server, "+short", "web.example.org") == "www.example.org.\n192.0.2.9\n")
        #expect(try dig(server, "+short", "www.example.org", "AAAA") == "2001:db8::9\n")
        #expect(try dig(server, "+short", "example.org", "MX") == "5 mail.example.org.\n")
        #expect(try dig(server, "none.example.org").contains("status: NXDOMAIN"))
        let big = try dig(server, "+short", "big.example.org", "TXT")
        #expect(big.filter { $0 == "x" }.count == 2400)
        let cut = try dig(server, "+ignore", "+noedns", "big.example.org", "TXT")
        #expect(cut.contains(" tc "))
        // A second question is answered from the cache, also when the other server is gone.
        upstream.kill()
        #expect(try dig(server, "+short", "web.example.org") == "www.example.org.\n192.0.2.9\n")
        #expect(try dig(server, "gone.example.org").contains("status: SERVFAIL"))
        #expect(try server.diskless("status").output.contains("DNS"))
    }

    @Test func theCLibrary() throws {
        let (server, upstream) = try server()
        defer { upstream.kill() }
        let resolver = server.files.path("resolv.conf")
        try MadeUpImage.write("nameserver 10.77.0.1\nsearch lab.example\n", resolver)
        server.preparation = "mount --bind \(resolver) /etc/resolv.conf"
        let first = try server.client("getent", "ahostsv4", "megane")
        #expect(first.output.contains("10.77.0.71"), "\(first)\n\(server.log)")
        #expect(try server.client("getent", "hosts", "10.77.0.71").output.contains("Megane.lab.example"))
        #expect(try server.client("getent", "ahostsv4", "web.example.org").output.contains("192.0.2.9"))
        #expect(try server.client("getent", "hosts", "nobody").status == 2)
        // A lease makes a name: known from the next question on.
        #expect(try server.client("getent", "ahostsv4", "roams").status == 2)
        let asked = try server.client(
            "busybox",
            "udhcpc",
            "-f",
            "-n",
            "-q",
            "-t",
            "5",
            "-T",
            "1",
            "-i",
            TestNetwork.interface,
            "-s",
            "/bin/true"
        )
        #expect(asked.status == 0, "\(asked.output)\(asked.errors)")
        #expect(try dig(server, "+short", "roams.lab.example").hasPrefix("10.77.0."))
    }

    @Test(.enabled(if: NBDClientProgram.isThere("apt-get"), "unpacks systemd-resolved from its package"))
    func systemdResolved() throws {
        let (server, upstream) = try server()
        defer { upstream.kill() }
        let folder = server.files.path("resolved")
        // Installing the package would change this computer's own resolver; its files alone are enough.
        let fetched = try NBDClientProgram.run(
            [
                "sh", "-c",
                "mkdir -p \(folder) && cd \(folder) && apt-get -q download systemd-resolved && dpkg-deb -x *.deb .",
            ],
            in: server.files
        )
        try #require(fetched.status == 0, "\(fetched.output)")
        server.preparation = """
            cd \(folder); mount -t tmpfs run /run; mkdir -p /run/systemd/resolve /run/systemd/resolved.conf.d
            printf '[Resolve]\\nDNS=10.77.0.1\\nDomains=lab.example\\nDNSSEC=no\\nLLMNR=no\\nMulticastDNS=no\\n' >/run/systemd/resolved.conf.d/a.conf
            cp /etc/passwd /etc/group .; echo systemd-resolve:x:977:977::/:/bin/false >>passwd; echo systemd-resolve:x:977: >>group
            mount --bind passwd /etc/passwd; mount --bind group /etc/group; chown 977:977 /run/systemd/resolve
            ./lib/systemd/systemd-resolved >log 2>&1 & resolved=$!
            for try in 1 2 3 4 5 6 7 8 9 10; do dig @127.0.0.53 +short +tries=1 +time=1 localhost >/dev/null && break; sleep 0.3; done
            """
        let asked = """
            for name in megane.lab.example web.example.org; do dig @127.0.0.53 +short "$name"; done
            dig @127.0.0.53 +short -x 10.77.0.71; dig @127.0.0.53 nobody.lab.example | grep -o NXDOMAIN
            dig @127.0.0.53 +short big.example.org TXT | tr -dc x | wc -c
            """
        let preparation = server.preparation
        server.preparation = ":"
        let result = try server.client("sh", "-c", "\(preparation)\n\(asked)\nkill $resolved; wait $resolved; true")
        #expect(
            result.output == "10.77.0.71\nwww.example.org.\n192.0.2.9\nMegane.lab.example.\nNXDOMAIN\n2400\n",
            "\(result.errors) \(NBDClientProgram.text(folder + "/log"))"
        )
    }

    @Test func aPortThatIsTaken() throws {
        let server = try ServerProcess()
        let configuration = server.files.path("diskless.yaml")
        try MadeUpImage.write("dns: {upstreams: [10.77.0.2]}\n", configuration)
        let holder = try ClientProcess(
            [
                "dnsmasq", "--no-daemon", "--no-resolv", "--conf-file=/dev/null", "--listen-address=10.77.0.1",
                "--bind-interfaces",
                "--user=root", "--pid-file=",
            ],
            in: server.network.server
        )
        defer { holder.kill() }
        try server.wait("dnsmasq does not listen") { try server.run(["ss", "-Hlnu"]).output.contains("10.77.0.1:53") }
        let result = try server.serve(ServerProcess.usual + ["--config", configuration])
        #expect(result.status == 1)
        #expect(result.errors.contains("UDP 0.0.0.0:53 is taken by another program"), "\(result.errors)")
        #expect(result.errors.contains("dns: {listen: [10.0.0.1]}"), "\(result.errors)")
        // And port 0 is off.
        try MadeUpImage.write("dns: {port: 0}\n", configuration)
        try server.start(ServerProcess.usual + ["--config", configuration])
        #expect(try !server.diskless("status").output.contains("DNS"))
    }
}
