import CLinux
import Foundation
import Testing

/// The fleet files of docs/guides, applied to a running server as a reader would; then each of their machines asks.
///
/// No board or kiosk took part: what the server would send is asked for with `explain` and over HTTP.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct GuideFleetTests {
    /// One machine of a guide and what `explain` must say of it.
    private struct Machine {
        var mac: String
        var says: [String]
    }

    private static let guides: [(name: String, images: [(String, Int)], interface: String, machines: [Machine])] = [
        (
            "classroom", [("debian", 4)], "eth0",
            [
                Machine(mac: "52:54:00:20:04:01", says: ["pc01", "debian@3", "room204"]),
                Machine(mac: "52:54:00:20:04:00", says: ["desk", "debian@4", "teacher"]),
            ]
        ),
        (
            "hpc-cluster", [("debian", 12)], "eth1",
            [
                Machine(mac: "02:00:00:00:00:01", says: ["n001", "debian@12", "10.10.1.1"]),
                Machine(mac: "02:00:00:00:01:01", says: ["g001", "iommu=pt", "10.10.2.1"]),
            ]
        ),
        (
            "raspberry-pi-rack", [("raspios", 1)], "eth1",
            [
                Machine(mac: "dc:a6:32:00:00:01", says: ["camera", "applies itself: mac dc:a6:32", "10.20.0.10"]),
                Machine(mac: "d8:3a:dd:00:00:02", says: ["broker", "raspios@1"]),
                Machine(mac: "e4:5f:01:00:00:09", says: ["applies itself: mac e4:5f:01", "raspios@1"]),
            ]
        ),
        (
            "kiosk", [("kiosk", 2), ("debian", 1)], "eth1",
            [
                Machine(mac: "02:00:00:00:30:01", says: ["entrance", "kiosk@2", "portrait"]),
                Machine(mac: "02:00:00:00:30:02", says: ["cafeteria", "kiosk@2"]),
            ]
        ),
        (
            "roots", [("debian", 1)], "eth1",
            [
                Machine(mac: "02:00:00:00:40:01", says: ["seat1", "/etc/ssh", "swap"]),
                Machine(mac: "02:00:00:00:40:02", says: ["studio", "keep", "volume"]),
                Machine(mac: "02:00:00:00:40:04", says: ["twin2", "shared", "4.2"]),
            ]
        ),
    ]

    private static func fleet(_ guide: String) throws -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let file = folder.appending(path: "../../docs/guides/\(guide).md").standardized
        let text = try String(contentsOf: file, encoding: .utf8)
        return String(
            try #require(text.split(separator: "```yaml\n").dropFirst().first?.split(separator: "```").first)
        )
    }

    @Test(arguments: guides.map(\.name))
    func theFleetIsAppliedAndItsMachinesGetWhatItSays(name: String) throws {
        let guide = try #require(Self.guides.first { $0.name == name })
        let server = try ServerProcess()
        for (image, versions) in guide.images { for _ in 0..<versions { try server.publish(image) } }
        try server.start()
        let text = try Self.fleet(name)
        #expect(text.split(separator: "\n").count < 40)
        // The guide's interface and subnet are the reader's; here they are the wire's.
        let file = server.files.path("fleet.yaml")
        try MadeUpImage.write(text.replacing("interface: \(guide.interface)", with: "interface: guide0"), file)
        let subnet = try #require(text.firstMatch(of: /subnet: (\d+\.\d+\.\d+)\.0\/(\d+)/))
        for words in [
            ["link", "add", "guide0", "type", "veth", "peer", "name", "guide1"], ["link", "set", "guide1", "up"],
            ["address", "add", "\(subnet.1).1/\(subnet.2)", "dev", "guide0"], ["link", "set", "guide0", "up"],
        ] { #expect(try server.run(["ip"] + words).status == 0) }
        let dry = try server.diskless("apply", file, "--dry-run")
        #expect(dry.status == 0, "\(dry.errors)")
        let applied = try server.diskless("apply", file)
        #expect(applied.status == 0, "\(applied.errors)")
        #expect(try server.diskless("apply", file, "--prune").output == "nothing to change\n")
        // The network of an interface that came later is served after a restart at the latest.
        _ = try server.terminate()
        try server.start(["--interface", TestNetwork.interface, "--dhcp", "off"])
        for machine in guide.machines {
            let explained = try server.diskless("explain", machine.mac)
            for words in machine.says {
                #expect(explained.output.contains(words), "\(name) \(machine.mac) \(words): \(explained.output)")
            }
            let script = try server.run([
                "curl", "-sS", "--interface", "guide0",
                "http://\(subnet.1).1:8067/boot/\(machine.mac.replacing(":", with: "-"))/script.ipxe",
            ])
            #expect(
                script.output.hasPrefix("#!ipxe\n") && script.output.contains("kernel "),
                "\(name) \(machine.mac): \(script.output)\(script.errors)"
            )
        }
    }
}
