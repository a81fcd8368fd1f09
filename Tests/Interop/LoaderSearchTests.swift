import Foundation
import NetworkTypes
import Testing

/// The names under which loaders look for their configuration, asked for in each loader's order by foreign TFTP clients
/// against the whole server.
@Suite(
    .enabled(
        if: TestNetwork.isPossible && NBDClientProgram.isThere("curl") && NBDClientProgram.isThere("tftp"),
        "needs root, ip, curl and tftp (tftp-hpa)"
    ),
    .boundedWait
) struct LoaderSearchTests {
    static let uuid = "7c1f0e52-3a84-4b16-9d2e-525400770001"
    static let stranger = "00000000-3a84-4b16-9d2e-525400770009"

    /// What is asked for, and the node whose configuration comes; nil when there is no such file.
    static let orders: [(loader: String, names: [(name: String, node: String?)])] = [
        // syslinux, core/fs/pxe: UUID, hardware address, address and its networks, default.
        (
            "PXELINUX",
            [
                (uuid, "megane"), (stranger, nil), ("01-52-54-00-77-00-01", "megane"), ("0A4D0002", "megane"),
                ("0a4d0002", "megane"), ("0A4D000", nil), ("0A4D00", nil), ("0A4D0", nil), ("0A4D", nil), ("0A4", nil),
                ("0A", nil), ("0", nil), ("default", "megane"),
            ].map { ("pxelinux.cfg/" + $0, $1) }
        ),
        // U-Boot, cmd/pxe: the same, and before default those of its processor, chip and board.
        (
            "U-Boot",
            [
                ("01-52-54-00-77-00-01", "megane"), ("0A4D0002", "megane"), ("default-arm-bcm283x-rpi", "megane"),
                ("default-arm-bcm283x", "megane"), ("default-arm", "megane"), ("default", "megane"),
            ].map { ("pxelinux.cfg/" + $0, $1) }
        ),
        // GRUB as distributions build it (grub-core/net, grub_net_search_config_file), and the manual's form without 01-.
        (
            "GRUB",
            [
                ("-" + uuid, "megane"), ("-" + stranger, nil), ("-01-52-54-00-77-00-01", "megane"),
                ("-01-52:54:00:77:00:01", "megane"), ("-52-54-00-77-00-01", "megane"), ("-0A4D0002", "megane"),
                ("-0A4D000", nil), ("-0", nil), ("", "megane"),
            ].map { ("grub/grub.cfg" + $0, $1) }
        ),
    ]

    @Test func eachLoaderFindsItsConfigurationUnderEachName() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        let fleet = server.files.path("fleet.yaml")
        try MadeUpImage.write(
            """
            nodes:
              - {name: megane, mac: "\(TestNetwork.clientMAC)", uuid: \(Self.uuid), address: 10.77.0.2, image: debian}

            """,
            fleet
        )
        let applied = try server.diskless("apply", fleet)
        #expect(applied.status == 0, "\(applied.errors)")
        let file = server.files.path("fetched")
        for (loader, names) in Self.orders {
            for (name, node) in names {
                let fetched = try server.client("curl", "-sS", "tftp://10.77.0.1/\(name)")
                // tftp-hpa's client says errors and goes on, what it wrote tells; a colon ends a host's name for it.
                var other = fetched.output
                if !name.contains(":") {
                    _ = try server.client("tftp", "-m", "binary", "10.77.0.1", "-c", "get", name, file)
                    other = NBDClientProgram.text(file)
                    _ = try server.run(["rm", "-f", file])
                }
                guard let node else {
                    #expect(fetched.status == 68, "\(loader): \(name) is there: \(fetched.output)")
                    #expect(other.isEmpty, "\(loader): \(name) is there: \(other)")
                    continue
                }
                for text in [fetched.output, other] {
                    #expect(text.hasPrefix("# \(node): written by diskless"), "\(loader): \(name): \(text)")
                    #expect(text.contains("images/debian/1/kernel"), "\(loader): \(name): \(text)")
                    #expect(text.contains("BOOTIF=01-52-54-00-77-00-01"), "\(loader): \(name): \(text)")
                }
            }
        }
        // Its files are where the configuration says.
        #expect(
            try server.client("curl", "-sS", "tftp://10.77.0.1/images/debian/1/kernel").output == "kernel of debian"
        )
    }

    /// The configuration of another machine is a preview: nobody begins its boot, and no boot is named.
    @Test func whoAsksForAnothersConfigurationBeginsNoBoot() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        let other = "pxelinux.cfg/01-52-54-00-77-00-09"
        let text = try server.client("curl", "-sS", "tftp://10.77.0.1/\(other)").output
        #expect(text.contains("LINUX images/debian/1/kernel"), "\(text)")
        #expect(text.contains("/boot/52-54-00-77-00-09/00000000000000000000000000000000"), "\(text)")
        #expect(!(try server.diskless("boots", "--json").output.contains("52:54:00:77:00:09")))
    }
}
