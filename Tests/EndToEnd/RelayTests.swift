import NetworkTypes
import Testing
import VirtualLab

/// Nodes on a wire that the server is not on: a router and a relay agent of somebody else's lie between.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct RelayMatrixTests {
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["bios", "uefi"]))
    func bootsThroughARelay(firmware: String) throws {
        let lab = try EndToEndLab("relay-\(firmware)", images: [.ram])
        defer { lab.lab.close() }
        guard let far = IPv4Subnet("10.88.0.0/24"), let address = IPv4Address("10.77.0.2") else {
            throw LabError("no subnet")
        }
        let router = try lab.lab.router("relay", address: address, far: far)
        try lab.server.apply(
            """
            networks:
              - name: far
                subnet: 10.88.0.0/24
                dhcp: full
                pools: [10.88.0.100-10.88.0.120]
                router: 10.88.0.1
            nodes:
              - {name: rita, mac: ["\(EndToEndLab.mac(1))"], image: e2e}
            """
        )
        let relay = try router.start(["dhcrelay", "-4", "-d", "-a", "-iu", "eth0", "-id", "br0", "10.77.0.1"])
        try relay.output.wait(for: "Sending on", limit: .seconds(10))
        let rita = try lab.node("rita", number: 1, firmware: firmware == "uefi" ? .uefi : .bios, behind: router)
        try rita.machine.powerOn()
        try rita.login()
        #expect(try rita.run("ip -4 -o addr show dev eth0").contains(" 10.88.0.1"))
        #expect(try rita.run("ip route show default").contains("via 10.88.0.1"))
        try checkRAMRoot(rita)
        let boot = try lab.server.boot(of: "rita")
        #expect(boot.passed("discover", "offer", "acknowledge", "script", "initramfs-started", "root-mounted", "up"))
        #expect(boot.state == "up")
    }
}
