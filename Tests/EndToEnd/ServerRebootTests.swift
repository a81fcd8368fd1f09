import Foundation
import Testing
import VirtualLab

/// The computer on which the server runs is switched off and on under its nodes.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct ServerRebootMatrixTests {
    /// What the computer's kernel had in memory goes with its power; what was on its disk must be enough.
    @Test(.timeLimit(.minutes(60)), arguments: Repository.whole(["server-reboot"]))
    func treesOutliveTheComputerOfTheServer(row: String) throws {
        let lab = try EndToEndLab(row, images: [.server])
        defer { lab.lab.close() }
        let sam = try startServer(
            lab,
            nodes: """
                  - {name: ned, mac: "\(EndToEndLab.mac(2))", image: e2e, root: {via: nfs, writes: keep, version: 4.2}}
                  - {name: meg, mac: "\(EndToEndLab.mac(3))", image: e2e, root: {via: nfs, writes: keep, version: 3}}
                """
        )
        let nodes = [try lab.node("ned", number: 2), try lab.node("meg", number: 3)]
        for node in nodes { try node.machine.powerOn() }
        for node in nodes { try node.login() }
        for node in nodes { #expect(try node.run("cat /etc/hostname") == node.name, "its overlay files") }
        for node in nodes { try node.startLoad() }
        sam.pass(.seconds(15), in: lab)
        try sam.machine.powerCycle()
        try sam.login()
        sam.pass(.seconds(15), in: lab)
        try switchOffAndOn(sam)
        for node in nodes {
            try node.finishLoad()
            try node.checkFiles()
            #expect(try node.rootErrors() == "")
            #expect(try node.reclaimErrors() == "")
        }
    }

    /// An NBD disk goes on after an orderly end; after a power cut only where nothing was lost that its node knows of.
    @Test(.timeLimit(.minutes(60)), arguments: Repository.whole(["server-reboot-disks"]))
    func disksThatForgotAreNotGivenBack(row: String) throws {
        let lab = try EndToEndLab(row, images: [.server])
        defer { lab.lab.close() }
        let sam = try startServer(
            lab,
            nodes: """
                  - {name: vic, mac: "\(EndToEndLab.mac(2))", image: e2e, volume: 2G, root: {via: nbd, writes: keep}}
                  - {name: ron, mac: "\(EndToEndLab.mac(3))", image: e2e, root: {via: nbd, writes: ram}}
                """
        )
        let (vic, ron) = (try lab.node("vic", number: 2), try lab.node("ron", number: 3))
        for node in [vic, ron] { try node.machine.powerOn() }
        for node in [vic, ron] { try node.login() }
        try ron.run("find /usr/bin -type f | head -n 100 | xargs sha256sum >/run/known", limit: .seconds(240))
        try vic.startLoad()
        sam.pass(.seconds(10), in: lab)
        try switchOffAndOn(sam)
        try vic.finishLoad()
        try vic.checkFiles()
        #expect(try vic.rootErrors() == "")
        try vic.run("cp -r /root/load /root/kept && sync", limit: .seconds(120))

        try vic.startLoad()
        sam.pass(.seconds(10), in: lab)
        try sam.machine.powerCycle()
        try sam.login()
        let line = "this server lost its power while vic wrote to its volume"
        try sam.run(
            "for n in $(seq 90); do diskless boots vic -n 1 | grep -q '\(line)' && break; sleep 1; done;"
                + " diskless boots vic -n 1 | grep -q '\(line)'",
            limit: .seconds(240)
        )
        // Who wrote nothing that was lost goes on.
        try ron.run("echo 3 >/proc/sys/vm/drop_caches; sha256sum --quiet -c /run/known", limit: .seconds(240))
        #expect(try ron.rootErrors() == "")
        // A new boot finds its disk as after a power cut of its own.
        try vic.machine.powerCycle()
        try vic.login()
        try vic.checkFiles(in: "/root/kept")
        #expect(try vic.rootErrors() == "")
    }

    /// A computer with our server on it, which serves these nodes.
    ///
    /// It is itself a node of the lab's server, with all it has on a volume. The program is installed there as anywhere, and
    /// systemd starts it.
    private func startServer(_ lab: EndToEndLab, nodes: String) throws -> Node {
        let installed = Repository.path("build/e2e/installed")
        try? FileManager.default.removeItem(atPath: installed)
        lab.lab.atClose { try? FileManager.default.removeItem(atPath: installed) }
        try install(in: installed, lab, nodes: nodes)
        try lab.server.apply(
            """
            \(Self.network("200-10.77.0.220"))
            nodes:
              - name: sam
                mac: "\(EndToEndLab.mac(1))"
                address: 10.77.0.50
                image: \(TestImage.server.name)
                volume: 3G
                root: {via: nbd, writes: keep}
                mounts: [{nfs: \(installed), at: /srv/installed, mode: ro}]
            """
        )
        let sam = try lab.node("sam", number: 1)
        try sam.machine.powerOn()
        try sam.login()
        try sam.run(
            "cp -r /srv/installed/etc /srv/installed/usr /srv/installed/root / && systemctl daemon-reload",
            limit: .seconds(240)
        )
        try sam.run("mkdir -p /var/lib/docker/diskless && systemctl enable --now var-lib-diskless.mount")
        try sam.run("cp -r /srv/installed/var / && sync", limit: .seconds(240))
        // The unit is started when the server answers: nobody has to wait or try again.
        try sam.run(
            "systemctl enable --now diskless && diskless apply /root/fleet.yaml && sync",
            limit: .seconds(240)
        )
        return sam
    }

    private func switchOffAndOn(_ sam: Node) throws {
        sam.machine.type("systemctl poweroff\n")
        try sam.machine.waitUntilOff(limit: .seconds(180))
        try sam.machine.powerOn()
        try sam.login()
    }

    /// The program as `make install` lays it, an image and a fleet, as files of another computer.
    private func install(in folder: String, _ lab: EndToEndLab, nodes: String) throws {
        let program = try #require(Repository.program)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try lab.lab.server.run(
            [Repository.path("scripts/install"), "install", program, folder, "/usr", "/etc"],
            limit: .seconds(120)
        )
        let image = try TestImage.ram.directory()
        let script = """
            mkdir -p \(folder)/var/lib/diskless/images/e2e \(folder)/root
            cp -r \(image) \(folder)/var/lib/diskless/images/e2e/
            chmod -R a+rX \(folder)
            """
        try lab.lab.server.run(["sh", "-ec", script], limit: .seconds(120))
        // Its root is an overlay, above which no tree of a node can be made; this path is the volume's own.
        let mount = """
            [Mount]
            What=/var/lib/docker/diskless
            Where=/var/lib/diskless
            Type=none
            Options=bind
            [Install]
            WantedBy=local-fs.target

            """
        let unit = "\(folder)/etc/systemd/system/var-lib-diskless.mount"
        try lab.lab.server.run(["mkdir", "-p", "\(folder)/etc/systemd/system"])
        try mount.write(toFile: unit, atomically: false, encoding: .utf8)
        let fleet = """
            \(Self.network("100-10.77.0.120"))
            nodes:
            \(nodes)

            """
        try fleet.write(toFile: "\(folder)/root/fleet.yaml", atomically: false, encoding: .utf8)
    }

    /// One wire with two servers: each answers its own nodes alone.
    private static func network(_ pool: String) -> String {
        "networks: [{name: lab, subnet: 10.77.0.0/24, dhcp: full, pools: [10.77.0.\(pool)], unknown-nodes: ignore}]"
    }
}
