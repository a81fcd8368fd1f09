import BootModel
import ForeignDHCP
import NetworkTypes
import Testing

@Suite struct HostFileTests {
    private static func read(_ text: String, _ format: HostFileFormat) throws -> [String] {
        try HostFile.read(text, as: format).map { entry in
            let macs = entry.macs.map(\.description).joined(separator: " ")
            return "\(entry.line) \(entry.name?.text ?? "-") \(macs) \(entry.address?.description ?? "-")"
        }
    }

    private static func problems(_ text: String, _ format: HostFileFormat) -> [String] {
        do throws(HostFileError) {
            return try HostFile.read(text, as: format).map { "read: \($0.nodeName)" }
        } catch {
            return error.lines(file: "f")
        }
    }

    @Test func hostsOfDHCPDHoweverDeepTheyLie() throws {
        let text = """
            # host commented { hardware ethernet 52:54:00:00:00:09; }
            option domain-name "host x { hardware ethernet 1:2:3:4:5:6; }";
            shared-network lab {
              subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.100 10.0.0.200; }
              group {
                next-server 10.0.0.1; filename "pxelinux.0";
                host seat-1 { hardware ethernet 52:54:00:00:00:01; fixed-address 10.0.0.71; }
                host seat-2
                {
                  option host-name "seat-2";   # a comment }
                  hardware ethernet 52:54:0:0:0:2;
                  if exists user-class { filename "a"; } else { filename "b"; }
                }
              }
            }
            """
        #expect(HostFileFormat(of: text) == .dhcpd)
        #expect(
            try Self.read(text, .dhcpd) == [
                "7 seat-1 52:54:00:00:00:01 10.0.0.71", "8 seat-2 52:54:00:00:00:02 -",
            ]
        )
    }

    @Test func everyUnusableLineOfDHCPDIsNamed() {
        let text = """
            host a { fixed-address 10.0.0.1; }
            host b { hardware ethernet 52:54:00:00:00; }
            host c_d { hardware ethernet 52:54:00:00:00:03; }
            host e { hardware ethernet 52:54:00:00:00:05; fixed-address e.example.org; }
            host f { hardware ethernet 52:54:00:00:00:06; }
            host g { hardware ethernet 52:54:00:00:00:06; }
            host h { hardware token-ring 52:54:00:00:00:07; }
            host i { hardware ethernet 52:54:00:00:00:08;
            """
        let problems = Self.problems(text, .dhcpd)
        #expect(problems.map { $0.prefix(3) } == (1...4).map { "f:\($0)" } + (6...8).map { "f:\($0)" }, "\(problems)")
        #expect(problems[0] == "f:1: host a has no 'hardware ethernet', which a node needs")
        #expect(problems[4] == "f:6: hardware address 52:54:00:00:00:06 stands in line 5 already")
    }

    @Test func hostLinesOfDnsmasq() throws {
        let text = """
            interface=eth1
            dhcp-range=10.0.0.100,10.0.0.200,12h
            dhcp-host=52:54:00:00:00:01,10.0.0.71,seat-1,infinite
            #dhcp-host=52:54:00:00:00:09,seat-9
              dhcp-host = 52:54:00:00:00:02,52:54:00:00:00:03,set:red,seat-2,10.0.0.72,45m # two cards
            dhcp-host=id:01:02,52:54:0:0:0:4,[fd00::4],10.0.0.74
            dhcp-host=52:54:00:00:00:05,ignore
            """
        #expect(HostFileFormat(of: text) == .dnsmasq)
        #expect(
            try Self.read(text, .dnsmasq) == [
                "3 seat-1 52:54:00:00:00:01 10.0.0.71", "5 seat-2 52:54:00:00:00:02 52:54:00:00:00:03 10.0.0.72",
                "6 - 52:54:00:00:00:04 10.0.0.74",
            ]
        )
        #expect(
            Self.problems(
                "dhcp-host=52:54:00:*:*:*,x\ndhcp-host=seat,10.0.0.9\ndhcp-host=52:54:00:00:00:01,a_b",
                .dnsmasq
            )
            .map { $0.prefix(4) } == ["f:1:", "f:2:", "f:3:"]
        )
    }

    @Test func ethers() throws {
        let text = """
            # the lab
            52:54:0:0:0:1   seat-1.example.org
            52:54:00:00:00:02\tseat-2 # by the window

            52:54:00:00:00:03 10.0.0.73
            52:54:00:00:00:04 seat-2
            """
        #expect(HostFileFormat(of: text) == .ethers)
        #expect(
            try Self.read(text, .ethers) == [
                "2 seat-1.example.org 52:54:00:00:00:01 -", "3 seat-2 52:54:00:00:00:02 52:54:00:00:00:04 -",
                "5 - 52:54:00:00:00:03 10.0.0.73",
            ]
        )
        #expect(Self.problems("52:54:00:00:00:01\nseat 52:54:00:00:00:02", .ethers).count == 2)
    }

    @Test func nonsenseIsRefusedOrEmptyAndNeverTraps() {
        for text in [
            "", "{", "}", "host", "host {", "host a {{{", "\"", "dhcp-host", "dhcp-host=", "dhcp-host=,,,", "::",
        ] {
            for format in HostFileFormat.allCases { _ = Self.problems(text, format) }
        }
        #expect(Self.problems(String(repeating: "host a {", count: 10_000), .dhcpd).isEmpty == false)
    }
}
