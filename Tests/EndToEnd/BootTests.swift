import NetworkTypes
import Testing
import VirtualLab

/// Whole boots in virtual networks: firmware, DHCP, TFTP, HTTP, kernel, root, login.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct BootTests {
    @Test(.timeLimit(.minutes(25)))
    func uefiBootsThroughSnponlyIntoRAM() throws {
        let lab = try EndToEndLab("uefi", images: [.ram])
        defer { lab.lab.close() }
        try lab.server.apply("nodes:\n  - name: uma\n    mac: [\"\(EndToEndLab.mac(1))\"]\n")
        let uma = try lab.node("uma", number: 1, firmware: .uefi)
        try uma.machine.powerOn()
        try uma.login()
        try checkRAMRoot(uma)
        let boot = try lab.server.boot(of: "uma")
        #expect(boot.passed("discover", "offer", "acknowledge", "loader", "discover", "script", "kernel", "initramfs"))
        #expect(boot.passed("initramfs", "initramfs-started", "root-connected", "root-mounted", "up"))
        #expect(boot.state == "up")
    }

    @Test(.timeLimit(.minutes(25)))
    func twoWritersNeverSeeEachOtherAndARebootForgets() throws {
        let fleet = """
            profiles:
              - name: default
                root: {via: nbd, writes: cow}
            nodes:
              - {name: anna, mac: ["\(EndToEndLab.mac(1))"], image: e2e-ext4}
              - {name: ben, mac: ["\(EndToEndLab.mac(2))"], image: e2e-ext4}
            """
        let lab = try EndToEndLab("cow", images: [.writable], fleet: fleet)
        defer { lab.lab.close() }
        let nodes = [try lab.node("anna", number: 1), try lab.node("ben", number: 2)]
        for node in nodes { try node.machine.powerOn() }
        for node in nodes { try node.login() }
        for node in nodes {
            #expect(try node.run("findmnt -no FSTYPE /") == "ext4")
            try node.run("echo \(node.name) > /root/who && sync && echo 3 > /proc/sys/vm/drop_caches")
        }
        for node in nodes { #expect(try node.run("cat /root/who") == node.name) }
        #expect(try lab.server.boot(of: "ben").state == "up")

        nodes[1].machine.powerOff()
        let anna = nodes[0]
        try anna.machine.powerCycle()
        try anna.login()
        #expect(try anna.run("test -e /root/who && echo kept || echo gone") == "gone")
        #expect(try lab.server.boots(of: "anna").count == 2)
        #expect(try anna.rootErrors() == "")
    }

    @Test(.timeLimit(.minutes(25)))
    func aForeignDHCPServerKeepsItsAddresses() throws {
        let lab = try EndToEndLab("proxy", images: [.ram], dhcp: "proxy")
        defer { lab.lab.close() }
        let foreign = try lab.lab.host("dhcp", address: IPv4Address("10.77.0.2"))
        let dnsmasq = try foreign.start([
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root", "--pid-file=",
            "--log-dhcp", "--log-facility=-", "--dhcp-leasefile=\(lab.lab.directory)/leases", "--interface=eth0",
            "--dhcp-range=10.77.0.200,10.77.0.210,1h",
        ])
        try dnsmasq.output.wait(for: "DHCP, IP range", limit: .seconds(10))
        let pia = try lab.node("pia", number: 3)
        try pia.machine.powerOn()
        try pia.login()
        try checkRAMRoot(pia)
        #expect(try pia.run("ip -4 -o addr show dev eth0").contains("10.77.0.20"))
        #expect(dnsmasq.output.text().contains("DHCPACK(eth0) 10.77.0.20"))
        let name = try pia.run("hostname")
        #expect(try lab.server.boot(of: name).state == "up")
    }
}

/// A root that is squashfs on NBD under a tmpfs: written to, and whole.
func checkRAMRoot(_ node: Node) throws {
    #expect(try node.run("findmnt -no FSTYPE /") == "overlay")
    #expect(try node.run("echo hello > /root/file && cat /root/file") == "hello")
    #expect(try node.run("cat /proc/cmdline").contains("diskless.root=nbd://10.77.0.1"))
    #expect(try node.rootErrors() == "")
}
