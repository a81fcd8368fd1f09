import NetworkIO
import Testing

/// Foreign DHCP clients and a foreign relay against the built program.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct DHCPClientTests {
    private static let fleet = """
        networks:
          - name: lab
            interface: \(TestNetwork.interface)
            subnet: 10.77.0.0/24
            dhcp: full
            pools: [10.77.0.100-10.77.0.120]
            router: 10.77.0.1
            ntp: [10.77.0.1]
            lease: 10m
            options: [{code: mtu, u16: 1400}]
        """

    /// A server of that network, once it answers there.
    private func served() throws -> ServerProcess {
        let server = try ServerProcess()
        try server.start([])
        let file = server.files.path("fleet.yaml")
        let applied = try server.run(
            ["sh", "-c", "printf '%s' \"$1\" > \"$2\"; exec \"$3\" apply \"$2\" --state \"$4\"", "sh"]
                + [Self.fleet, file, BuiltProgram.path, server.state]
        )
        #expect(applied.status == 0, "\(applied.errors)")
        try server.wait("DHCP does not answer: \(server.log)") { server.log.contains("DHCP answers on") }
        return server
    }

    @Test(.enabled(if: NBDClientProgram.isThere("udhcpc"), "needs udhcpc"))
    func udhcpc() throws {
        let server = try served()
        let got = try server.client(
            "udhcpc",
            "-f",
            "-q",
            "-n",
            "-i",
            TestNetwork.interface,
            "-s",
            "/bin/true",
            "-T",
            "2",
            "-t",
            "5"
        )
        #expect(got.status == 0, "\(got.errors)")
        #expect((got.output + got.errors).contains("lease of 10.77.0.1"))
    }

    @Test(.enabled(if: NBDClientProgram.isThere("dhclient"), "needs dhclient"))
    func dhclient() throws {
        let server = try served()
        let leases = server.files.path("dhclient.leases")
        let common = ["-4", "-v", "-lf", leases, "-pf", server.files.path("pid"), "-sf", "/bin/true"]
        // The second run asks for the address of its lease file: init-reboot.
        for round in 0..<2 {
            let got = try server.run(
                ["dhclient", "-1"] + common + [TestNetwork.interface],
                in: server.network.client
            )
            #expect(got.status == 0, "\(got.errors)")
            #expect(got.errors.contains("DHCPACK of 10.77.0.1"), "round \(round): \(got.errors)")
            _ = try server.run(["dhclient", "-x"] + common + [TestNetwork.interface], in: server.network.client)
        }
        #expect(NBDClientProgram.text(leases).contains("interface-mtu 1400"))
        _ = try server.run(["dhclient", "-r"] + common + [TestNetwork.interface], in: server.network.client)
        try server.wait("no release: \(server.log)") { server.log.contains("released 10.77.0.1") }
    }

    @Test(.enabled(if: NBDClientProgram.isThere("dhcpcd"), "needs dhcpcd"))
    func dhcpcd() throws {
        let server = try served()
        let got = try server.client(
            "dhcpcd",
            "-4",
            "-1",
            "-B",
            "-t",
            "20",
            "--noconfigure",
            TestNetwork.interface
        )
        #expect(got.status == 0, "\(got.errors)")
        #expect((got.output + got.errors).contains("leased 10.77.0.1"))
    }

    /// An address of the pool that somebody took without asking is not offered.
    @Test(.enabled(if: NBDClientProgram.isThere("udhcpc"), "needs udhcpc"))
    func anAddressInUseIsFoundBeforeItsOffer() throws {
        let server = try served()
        func lease() throws -> String {
            let got = try server.client(
                "udhcpc",
                "-f",
                "-q",
                "-n",
                "-i",
                TestNetwork.interface,
                "-s",
                "/bin/true",
                "-T",
                "2",
                "-t",
                "5",
                "-x",
                "hostname:probe"
            )
            let words = (got.output + got.errors).split(separator: " ").map(String.init)
            let index = try #require(words.firstIndex(of: "obtained"), "\(got.output)\(got.errors)")
            return words[index - 1]
        }
        // Every address but one is taken by the client's own computer, under another card's hardware address.
        let taken = (100...119).map { "ip address add 10.77.0.\($0)/24 dev thief" }.joined(separator: " && ")
        let made = try server.client(
            "sh",
            "-c",
            "ip link add link \(TestNetwork.interface) name thief type macvlan mode bridge && ip link set thief up && "
                + "sysctl -qw net.ipv4.conf.all.arp_ignore=1 && \(taken)"
        )
        #expect(made.status == 0, "\(made.errors)")
        let address = try lease()
        #expect(address == "10.77.0.120" || server.log.contains("is in use by"), "\(address): \(server.log)")
    }
}
