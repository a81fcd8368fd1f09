import Foundation
import NetworkTypes
import Testing
import VirtualLab

/// The fleet files of docs/guides as their machines meet them, with an image of the lab's under the guide's names.
///
/// What a lab has not: boards of Raspberry Pi, thirty PCs, a graphical program that a kiosk shows.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct GuideMatrixTests {
    /// A kiosk logs its user in on the screen, lets in nobody else and forgets what was written.
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["guide-kiosk"]))
    func kiosk(row: String) throws {
        let guide = try Guide("kiosk", images: [("kiosk", [1, 2]), ("debian", [1])])
        defer { guide.lab.lab.close() }
        let entrance = try guide.node("entrance", 1, "02:00:00:00:30:01")
        try entrance.machine.powerOn()
        try entrance.login()
        #expect(try entrance.run("hostname") == "entrance")
        #expect(try entrance.run("cat /proc/cmdline").contains("kiosk@2"), "what the tag kiosk:live names")
        #expect(try entrance.run("stat -fc %T /var/log /home/show | sort -u") == "tmpfs")
        #expect(try entrance.run("getent passwd admin || echo nobody") == "nobody")
        #expect(try entrance.run("id show").contains("uid=2001(show)"))
        let look = "fold -w 80 /dev/vcs1 | grep -a -m 1 'show@entrance:~'"
        let screen = try entrance.run("for i in $(seq 60); do \(look) && break; sleep 1; done", limit: .seconds(120))
        #expect(screen.contains("show@entrance:~$"))
        #expect(try entrance.rootErrors() == "")
    }

    /// Beside the school's own DHCP server: homes on the file server, host keys kept, an image of their own for teachers.
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["guide-classroom"]))
    func classroom(row: String) throws {
        let guide = try Guide("classroom", images: [("debian", [1, 2, 3, 4])], dhcp: "proxy")
        defer { guide.lab.lab.close() }
        let router = try guide.lab.lab.host("router", address: IPv4Address("192.168.10.3"))
        let dnsmasq = try router.start([
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root", "--pid-file=",
            "--log-dhcp", "--log-facility=-", "--dhcp-leasefile=\(guide.lab.lab.directory)/leases", "--interface=eth0",
            "--dhcp-range=192.168.10.200,192.168.10.210,1h",
        ])
        try dnsmasq.output.wait(for: "DHCP, IP range", limit: .seconds(10))
        try guide.serveFiles(at: "192.168.10.2", folders: ["home"])
        let pc = try guide.node("pc01", 1, "52:54:00:20:04:01")
        let desk = try guide.node("desk", 2, "52:54:00:20:04:00")
        for node in [pc, desk] { try node.machine.powerOn() }
        for node in [pc, desk] { try node.login(limit: .seconds(600)) }
        for (node, image) in [(pc, "debian@3"), (desk, "debian@4")] {
            #expect(try node.run("hostname") == node.name)
            #expect(try node.run("cat /proc/cmdline").contains(image))
            #expect(try node.run("stat -fc %T /var/log /tmp | sort -u") == "tmpfs")
            #expect(try node.run("findmnt -no SOURCE,FSTYPE /home").hasPrefix("192.168.10.2:/srv/home"))
            #expect(try node.run("findmnt -no FSTYPE /etc/ssh") == "nfs")
        }
        // A pupil writes on one machine and finds it on the other.
        try pc.run("su - pupil -c 'echo essay >essay'")
        #expect(try desk.run("cat /home/pupil/essay; stat -c %u /home/pupil/essay") == "essay\n2001")
        #expect(try pc.run("id -nG pupil").contains("audio"))
        for node in [pc, desk] { #expect(try node.rootErrors() == "") }
    }

    /// Nodes with scratch in memory and data over NFS; a machine that nobody named gets an address and no system.
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["guide-hpc-cluster"]))
    func cluster(row: String) throws {
        let guide = try Guide("hpc-cluster", images: [("debian", [12])])
        defer { guide.lab.lab.close() }
        try guide.serveFiles(at: "10.10.0.2", folders: ["home", "apps"])
        let first = try guide.node("n001", 1, "02:00:00:00:00:01")
        let gpu = try guide.node("g001", 2, "02:00:00:00:01:01")
        let stranger = try guide.node("stranger", 3, "02:00:00:00:09:09")
        try stranger.machine.powerOn()
        // One after the other: three kernels that start on one computer make systemd give up waiting for its console.
        for node in [first, gpu] {
            try node.machine.powerOn()
            try node.login(limit: .seconds(600))
        }
        for (node, address) in [(first, "10.10.1.1"), (gpu, "10.10.2.1")] {
            #expect(try node.run("hostname -f") == "\(node.name).cluster.example")
            #expect(try node.run("ip -4 -o addr show dev eth0 | awk '{print $4}'") == "\(address)/16")
            #expect(try node.run("stat -fc %T /scratch; stat -c %a /scratch") == "tmpfs\n1777")
            #expect(try node.run("df -k --output=size /scratch | tail -n 1").contains("33554432"))
            #expect(try node.run("cat /opt/apps/name; touch /opt/apps/x 2>&1 || true").contains("Read-only"))
            try node.run("echo \(node.name) >/home/\(node.name)")
        }
        #expect(try first.run("cat /home/g001") == "g001")
        #expect(try gpu.run("cat /proc/cmdline").contains("iommu=pt"))
        #expect(try !first.run("cat /proc/cmdline").contains("iommu=pt"))
        // The stranger has had more time than the others needed.
        #expect(!stranger.console.text().contains("Linux version"))
        #expect(try guide.diskless("node", "list", "--unknown").contains("02:00:00:00:09:09"))
        let said = guide.lab.server.process.output.text()
        #expect(said.contains("10.10.255."), "an address of the pool: \(said.suffix(2000))")
    }
}

/// The fleet of a guide in a lab.
private struct Guide {
    let lab: EndToEndLab

    /// - Parameters:
    ///   - images: the names and versions that the guide has images of.
    init(_ name: String, images: [(name: String, versions: [Int])], dhcp: String = "full") throws {
        let page = try String(contentsOfFile: Repository.path("docs/guides/\(name).md"), encoding: .utf8)
        let fleet = try #require(page.split(separator: "```yaml\n").dropFirst().first?.split(separator: "```").first)
        let subnet = try #require(fleet.firstMatch(of: /subnet: (\S+)/).flatMap { IPv4Subnet(String($0.1)) })
        lab = try EndToEndLab("guide-\(name)", images: [.ram], dhcp: dhcp, subnet: subnet)
        do {
            for image in images {
                for version in image.versions { try publish(image.name, version) }
            }
            // The guide's interface is the reader's; here it is the lab's.
            try lab.server.apply(String(fleet.replacing(/interface: \w+/, with: "interface: br0")))
        } catch {
            lab.lab.close()
            throw error
        }
    }

    func node(_ name: String, _ number: UInt64, _ mac: String) throws -> Node {
        try lab.node(name, number: number, mac: MACAddress(mac))
    }

    func diskless(_ words: String...) throws -> String {
        let program = try #require(Repository.program)
        return try lab.lab.server.run([program] + words + ["--state", lab.server.state])
    }

    /// The lab's image under another name and number.
    private func publish(_ name: String, _ version: Int) throws {
        let files = FileManager.default
        let source = try TestImage.ram.directory()
        let target = "\(lab.server.state)/images/\(name)/\(version)"
        try files.createDirectory(atPath: target, withIntermediateDirectories: true)
        for file in try files.contentsOfDirectory(atPath: source) where file != "manifest.json" {
            try files.linkItem(atPath: "\(source)/\(file)", toPath: "\(target)/\(file)")
        }
        let data = try #require(files.contents(atPath: "\(source)/manifest.json"))
        var manifest = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        manifest["name"] = name
        manifest["number"] = version
        try JSONSerialization.data(withJSONObject: manifest).write(to: URL(fileURLWithPath: "\(target)/manifest.json"))
    }

    /// A file server beside ours, with directories of its own below /srv.
    func serveFiles(at address: String, folders: [String]) throws {
        let program = try #require(Repository.program)
        let host = try lab.lab.host("files", address: IPv4Address(address))
        let made = folders.map { "/srv/\($0)" }.joined(separator: " ")
        let script = """
            mount -t tmpfs none /srv; mkdir \(made); for d in \(made); do echo "$d" >$d/name; done
            exec \(program) serve nfs /srv --listen \(address):2049 --writable --squash none --portmap --state /srv/.state
            """
        let log = "\(lab.lab.directory)/files.log"
        let server = try host.start(["unshare", "-m", "sh", "-ec", script], log: log)
        lab.lab.atClose { server.signal(SIGTERM) }
    }
}
