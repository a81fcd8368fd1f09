import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// Booting machines beside another DHCP server, and the boot server on port 4011.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct DHCPProxyTests {
    private typealias Kind = WireRequest
    private typealias Options = [(code: UInt8, content: [UInt8])]

    private static func fleet(_ mode: String, _ keys: String = "") -> String {
        """
        networks:
          - name: lab
            interface: \(TestNetwork.interface)
            subnet: 10.77.0.0/24
            dhcp: \(mode)
            pools: [10.77.0.100-10.77.0.150]
        \(keys)
        profiles:
          - {name: default, image: debian}

        """
    }

    private static func firmware(_ architecture: UInt8, _ vendorClass: String = "PXEClient") -> Options {
        let number = (architecture < 10 ? "0000" : "000") + "\(architecture)"
        return [
            (60, Array("\(vendorClass):Arch:\(number):UNDI:003000".utf8)), (93, [0, architecture]),
            (94, [1, 3, 0]), (97, [UInt8](repeating: architecture, count: 17)),
        ]
    }

    private static let pxeClient = Array("PXEClient".utf8)
    private static let bootServer = Endpoint(ServerProcess.address, 4011)

    @Test func aProxyOffersBootFilesAlone() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.startDHCP(Self.fleet("proxy"))
        let wire = try DHCPWire(server)
        func offer(_ options: Options) throws -> WireAnswer? {
            try wire.ask(WireRequest(Kind.discover, mac: Kind.mac(1), options), milliseconds: 700)
        }
        // BIOS: the file at once, and the word that there is no second step.
        let bios = try #require(try offer(Self.firmware(0)))
        #expect(bios.type == Kind.offer && bios.address == .any && bios.options[51] == nil)
        #expect(bios.options[60] == Self.pxeClient && bios.options[43] == [6, 1, 8, 255])
        #expect(bios.options[67]?.isEmpty == false && bios.nextServer == ServerProcess.address)
        #expect(bios.options[97] == [UInt8](repeating: 0, count: 17))
        // UEFI: without option 43, so that it asks port 4011.
        let uefi = try #require(try offer(Self.firmware(7)))
        #expect(uefi.options[60] == Self.pxeClient && uefi.options[43] == nil && uefi.address == .any)
        // UEFI HTTP Boot: its own class and a URL.
        let http = try #require(try offer(Self.firmware(16, "HTTPClient")))
        #expect(http.options[60] == Array("HTTPClient".utf8))
        #expect(String(decoding: http.options[67] ?? [], as: UTF8.self).hasPrefix("http://10.77.0.1:8067/"))
        #expect(http.nextServer == .any)
        // Whoever does not boot, and everything that is about addresses, is the other server's.
        #expect(try offer([]) == nil)
        for type in [Kind.request, Kind.inform] {
            let asked = WireRequest(type, mac: Kind.mac(1), Self.firmware(0) + [(50, [10, 77, 0, 9])])
            #expect(try wire.ask(asked, milliseconds: 400) == nil)
        }

        // The boot server: to where the question came from, for REQUEST and for INFORM with the item of a menu.
        var request = WireRequest(Kind.request, mac: Kind.mac(1), Self.firmware(7))
        request.client = IPv4Address(10, 77, 0, 2)
        let answer = try #require(try wire.ask(request, to: Self.bootServer))
        #expect(answer.type == Kind.acknowledge && answer.options[60] == Self.pxeClient && answer.address == .any)
        #expect(String(decoding: answer.options[67] ?? [], as: UTF8.self).contains("snponly.efi"))
        var inform = WireRequest(Kind.inform, mac: Kind.mac(1), Self.firmware(0) + [(43, [71, 4, 0, 7, 0, 0, 255])])
        inform.client = request.client
        let menu = try #require(try wire.ask(inform, to: Self.bootServer))
        #expect(menu.options[43] == [71, 4, 0, 7, 0, 0, 255] && menu.options[67]?.isEmpty == false)
        #expect(
            try wire.ask(WireRequest(Kind.discover, mac: Kind.mac(1)), to: Self.bootServer, milliseconds: 400) == nil
        )
        #expect(try server.leases().isEmpty)
    }

    /// Full mode with option 60 sent as the network says.
    @Test(arguments: ["auto", "always", "never"]) func optionSixtyInFullMode(echo: String) throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.startDHCP(Self.fleet("full", "    pxe-class: \(echo)"))
        let wire = try DHCPWire(server)
        let bios = try wire.lease(Kind.mac(1), Self.firmware(0))
        #expect(bios.options[60] == (echo == "never" ? nil : Self.pxeClient))
        #expect(bios.options[43] == (echo == "never" ? nil : [6, 1, 8, 255]))
        let uefi = try wire.lease(Kind.mac(2), Self.firmware(7))
        #expect(uefi.options[60] == (echo == "always" ? Self.pxeClient : nil) && uefi.options[43] == nil)
        #expect(!bios.address.isAny && bios.options[67]?.isEmpty == false && uefi.options[67]?.isEmpty == false)
        // Port 4011 answers in full mode too.
        var request = WireRequest(Kind.request, mac: Kind.mac(2), Self.firmware(7))
        request.client = IPv4Address(10, 77, 0, 2)
        #expect(try wire.ask(request, to: Self.bootServer)?.options[67] == uefi.options[67])
    }

    /// A second server that answers booting machines is named, in both modes.
    @Test(.enabled(if: NBDClientProgram.isThere("dnsmasq"), "needs dnsmasq"), arguments: ["proxy", "full"])
    func aSecondPXEServerIsNamed(mode: String) throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.startDHCP(Self.fleet(mode))
        let rogue = try Station(1, on: server, address: "10.77.0.66/24")
        let dnsmasq = try rogue.start(
            ":",
            [
                "dnsmasq", "-k", "-C", "/dev/null", "--port=0", "--user=root", "--pid-file=", "--log-facility=-",
                "--dhcp-leasefile=\(server.files.path("rogue-leases"))", "--interface=\(rogue.interface)",
                "--dhcp-range=10.77.0.200,10.77.0.210,1h", "--no-ping", "--dhcp-boot=foreign.0",
            ],
            log: "rogue-log"
        )
        defer { dnsmasq.kill() }
        try server.wait("the rogue does not start") {
            NBDClientProgram.text(server.files.path("rogue-log")).contains("DHCP, IP range")
        }
        let client = try Station(2, on: server)
        let wire = try DHCPWire(server, in: client.name)
        try server.wait(seconds: 20, "no warning: \(server.log)") {
            try wire.send(WireRequest(Kind.discover, mac: Kind.mac(1), Self.firmware(0)).bytes)
            while try wire.next(milliseconds: 200) != nil {}
            return server.log.contains("a second server, 10.77.0.66 (\(rogue.mac)), answers booting machines on")
        }
        #expect(server.log.contains("with boot file foreign.0"))
    }
}
