import Foundation
import NetworkTypes
import Testing
import VirtualLab

/// Each node is itself: its name, keys and files are its own, stay over boots and images, and reach nobody else.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct OverlayTests {
    private static let home = Repository.path("build/e2e/home-overlay")
    /// One node takes each new version of the image, the other stays with the one there is now.
    private static func fleet(pinned version: String) -> String {
        """
        networks:
          - {name: lab, subnet: 10.77.0.0/24, dhcp: full, pools: [10.77.0.128-10.77.0.250], nameservers: [10.77.0.1], domain: lab.example}
        profiles:
          - name: default
            image: e2e
            files: [room]
            variables: {room: "204"}
            mounts: [{nfs: \(home), at: /home, mode: rw}]
        nodes:
          - {name: anna, mac: ["\(EndToEndLab.mac(1))"], address: 10.77.0.71, variables: {seat: 1}}
          - {name: ben, mac: ["\(EndToEndLab.mac(2))"], address: 10.77.0.72, variables: {seat: 2}, image: e2e@\(version), root: {via: nbd, writes: none}, autologin: show}
        users:
          - {name: show, uid: 1500}
        """
    }

    /// What a node shows of itself to others.
    private struct Identity: Equatable {
        var hostname: String
        var address: String
        var machineID: String
        var keys: [String]
    }

    private func identity(of node: Node, _ lab: EndToEndLab, address: String) throws -> Identity {
        Identity(
            hostname: try node.run("hostname"),
            address: try node.run("ip -4 -o addr show dev eth0 | awk '{print $4}'"),
            machineID: try node.run("cat /etc/machine-id"),
            keys: try scan(address, lab)
        )
    }

    /// The host keys that a node's ssh server shows, without its address before them.
    private func scan(_ address: String, _ lab: EndToEndLab) throws -> [String] {
        let text = try lab.lab.server.run(
            ["ssh-keyscan", "-T", "30", "-t", "ed25519,ecdsa", address],
            limit: .seconds(120)
        )
        return Self.keys(text)
    }

    private static func keys(_ text: String) -> [String] {
        text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: " ").dropFirst().joined(separator: " ") }.sorted()
    }

    private func diskless(_ lab: EndToEndLab, _ arguments: String...) throws -> String {
        let program = try #require(Repository.program)
        return try lab.lab.server.run([program] + arguments + ["--state", lab.server.state])
    }

    @Test(.timeLimit(.minutes(30)))
    func twoNodesAreThemselvesOverBootsAndImages() throws {
        try? FileManager.default.removeItem(atPath: Self.home)
        try FileManager.default.createDirectory(atPath: Self.home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: Self.home) }
        let lab = try EndToEndLab(
            "overlay",
            images: [.ram],
            configuration: "dns: {listen: [10.77.0.1]}\n"
        )
        defer { lab.lab.close() }
        let set = "\(lab.server.state)/files/room"
        try FileManager.default.createDirectory(atPath: set + "/etc", withIntermediateDirectories: true)
        let motd = set + "/etc/motd.mustache"
        try "{{hostname}}, seat {{seat}}, room {{room}}\n".write(toFile: motd, atomically: false, encoding: .utf8)
        let version = try TestImage.ram.directory().split(separator: "/").last.map(String.init) ?? ""
        try lab.server.apply(Self.fleet(pinned: version))

        let anna = try lab.node("anna", number: 1)
        let ben = try lab.node("ben", number: 2)
        let agents = AgentChecks(lab: lab, anna: anna, ben: ben)
        try agents.beforeTheyAreThere()
        for node in [anna, ben] { try node.machine.powerOn() }
        for node in [anna, ben] { try node.login(limit: .seconds(600)) }
        let before = (
            try identity(of: anna, lab, address: "10.77.0.71"), try identity(of: ben, lab, address: "10.77.0.72")
        )
        #expect((before.0.hostname, before.1.hostname) == ("anna", "ben"))
        #expect((before.0.address, before.1.address) == ("10.77.0.71/24", "10.77.0.72/24"))
        #expect(before.0.machineID.count == 32)
        #expect(before.0.machineID != before.1.machineID)
        #expect(before.0.keys.count == 2)
        #expect(Set(before.0.keys).isDisjoint(with: before.1.keys))
        #expect(Self.keys(try diskless(lab, "node", "keys", "anna")) == before.0.keys)
        #expect(try anna.run("cat /etc/motd") == "anna, seat 1, room 204")
        #expect(try ben.run("getent hosts anna; getent hosts ben").contains("10.77.0.72"))

        // Logs are a node's own, also where the root cannot be written.
        for node in [anna, ben] { try node.run("echo \(node.name) > /var/log/whose") }
        for node in [anna, ben] { #expect(try node.run("cat /var/log/whose") == node.name) }
        #expect(try ben.run("touch /root/file 2>&1 || echo refused").contains("refused"))
        #expect(try ben.run("cat /etc/motd") == "ben, seat 2, room 204")
        #expect(try lab.server.boot(of: "anna").passed("script", "kernel", "overlay", "initramfs-started", "up"))
        #expect(try lab.server.boot(of: "ben").state == "up")

        try checkSecrets(lab, anna)
        try agents.whileTheyRun(home: Self.home)

        // Another image and another template: the node stays who it is, and the change is seen before it is taken.
        let next = try publishAgain(lab, "e2e")
        try "changed for {{hostname}}\n".write(toFile: motd, atomically: false, encoding: .utf8)
        let rendered = try diskless(lab, "files", "render", "anna", "/etc/motd", "--diff")
        #expect(rendered.contains("- anna, seat 1, room 204"))
        #expect(rendered.contains("+ changed for anna"))
        try ben.machine.powerCycle()
        try agents.startAgain { try anna.login(limit: .seconds(600)) }
        try ben.login(limit: .seconds(600))
        #expect(try identity(of: anna, lab, address: "10.77.0.71") == before.0, "with another image")
        #expect(try identity(of: ben, lab, address: "10.77.0.72") == before.1, "with the same image")
        #expect(try ben.run("cat /proc/cmdline").contains("e2e@\(version)"))
        #expect(try anna.run("cat /proc/cmdline").contains("e2e@\(next)"))
        #expect(try anna.run("cat /etc/motd") == "changed for anna")
        #expect(try anna.run("ls /var/log").contains("whose") == false)
        #expect(try diskless(lab, "files", "render", "anna", "--diff").contains("nothing is different"))
        try agents.afterwards(home: Self.home)
    }

    /// The files of a boot whose kernel runs are nobody's, and no log or reply has a key in it.
    private func checkSecrets(_ lab: EndToEndLab, _ node: Node) throws {
        let boot = try lab.server.boot(of: node.name).id
        let mac = EndToEndLab.mac(1).dashed
        let url = "http://10.77.0.1:8067/boot/\(mac)/\(boot)/overlay.cpio"
        let fetch = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", url]
        #expect(try lab.lab.server.run(fetch) == "403")
        #expect(
            try node.run("busybox wget -O /dev/null \(url) 2>&1 || true").contains(
                "403"
            )
        )
        let boots = try lab.server.boot(of: node.name)
        let refusals = (boots.events ?? []).filter { $0.kind == "refuse" }
        #expect(refusals.contains { $0.text.contains("after the kernel had started") })
        #expect(try node.run("stat -c %a:%U /etc/ssh/ssh_host_ed25519_key") == "600:root")
        let secret = "OPENSSH PRIVATE KEY"
        #expect(!lab.server.process.output.text().contains(secret))
        #expect(try !diskless(lab, "files", "render", node.name, "--json").contains(secret))
        #expect(try diskless(lab, "files", "render", node.name, "/etc/ssh/ssh_host_ecdsa_key").contains("(secret, "))
        let registry = try FileManager.default.attributesOfItem(atPath: lab.server.state + "/registry.sqlite")
        #expect((registry[.posixPermissions] as? Int ?? 0o777) & 0o077 == 0)
    }

    /// The next version of an image, with the same files.
    private func publishAgain(_ lab: EndToEndLab, _ image: String) throws -> Int {
        let folder = "\(lab.server.state)/images/\(image)"
        let files = FileManager.default
        let newest = try #require(try files.contentsOfDirectory(atPath: folder).compactMap { Int($0) }.max())
        let next = newest + 1
        try files.createDirectory(atPath: "\(folder)/\(next).new", withIntermediateDirectories: true)
        for name in try files.contentsOfDirectory(atPath: "\(folder)/\(newest)") where name != "manifest.json" {
            try files.linkItem(atPath: "\(folder)/\(newest)/\(name)", toPath: "\(folder)/\(next).new/\(name)")
        }
        let data = try #require(files.contents(atPath: "\(folder)/\(newest)/manifest.json"))
        var manifest = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        manifest["number"] = next
        try JSONSerialization.data(withJSONObject: manifest).write(
            to: URL(fileURLWithPath: "\(folder)/\(next).new/manifest.json")
        )
        try files.moveItem(atPath: "\(folder)/\(next).new", toPath: "\(folder)/\(next)")
        return next
    }

    /// An init without serial console of its own gets one by a script of a set, which shows that these run.
    @Test(.timeLimit(.minutes(20)), arguments: [TestImage.openRC, .sysvinit])
    func otherInitsBootWithTheSameSets(_ image: TestImage) throws {
        let lab = try EndToEndLab(image.name, images: [image])
        defer { lab.lab.close() }
        let folder = "\(lab.server.state)/files/console/run/diskless/prepare.d"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try "echo 'S0:2345:respawn:/sbin/getty -L ttyS0 115200 vt100' >>/etc/inittab\n".write(
            toFile: folder + "/90-console",
            atomically: false,
            encoding: .utf8
        )
        try lab.server.apply(
            """
            profiles:
              - {name: default, files: [console]}
            nodes:
              - {name: otto, mac: ["\(EndToEndLab.mac(5))"], autologin: show}
            users:
              - {name: show, uid: 1500}
            """
        )
        let otto = try lab.node("otto", number: 5)
        try otto.machine.powerOn()
        try otto.login(limit: .seconds(600))
        #expect(try otto.run("hostname") == "otto")
        #expect(try otto.run("cat /etc/hostname") == "otto")
        #expect(try otto.run("test -d /run/systemd/journal && echo systemd || echo another") == "another")
        // What programs take for the sign that systemd runs (sd_booted(3)).
        #expect(try otto.run("test -e /run/systemd/system && echo there || echo absent") == "absent")
        #expect(
            try otto.run("which openrc >/dev/null && echo openrc || echo none")
                == (image.name == "e2e-openrc" ? "openrc" : "none")
        )
        #expect(try otto.run("dmesg | grep 'diskless:.*failed' || true") == "")
        let address = try otto.run("ip -4 -o addr show dev eth0 | awk '{print $4}' | cut -d/ -f1")
        #expect(Self.keys(try diskless(lab, "node", "keys", "otto")) == (try scan(address, lab)))
        #expect(try otto.rootErrors() == "")
        var state = ""
        for _ in 0..<60 where state != "up" {
            state = try lab.server.boot(of: "otto").state
            if state != "up" { try otto.run("sleep 1") }
        }
        #expect(state == "up")
        try AgentChecks(lab: lab, anna: otto, ben: otto).onAnotherInit()
    }
}

extension TestImage {
    /// Debian with OpenRC started by sysvinit's init.
    static let openRC = TestImage(name: "e2e-openrc", format: "squashfs", packages: ["openrc", "sysvinit-core"])
    /// Debian with sysvinit and its own scripts.
    static let sysvinit = TestImage(name: "e2e-sysvinit", format: "squashfs", packages: ["sysvinit-core"])
}
