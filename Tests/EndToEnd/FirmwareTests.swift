import Foundation
import NetworkTypes
import Testing
import VirtualLab

/// The matrix of docs/firmware.md: every firmware with every loader it can have, up to a running system.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct FirmwareTests {
    /// The waits below have limits of their own; this one holds also when an image of a foreign processor is built first.
    @Test(.timeLimit(.minutes(60)), arguments: FirmwareCase.chosen)
    func boots(row: FirmwareCase) throws {
        let lab = try EndToEndLab(row.name, images: [row.image], dhcp: row.dhcp)
        defer { lab.lab.close() }
        if row.firmware.isARM { try fetchARMLoaders(lab) }
        for (name, file) in row.own {
            try FileManager.default.copyItem(atPath: file, toPath: "\(lab.server.state)/loaders/\(name)")
        }
        try lab.server.apply(
            """
            nodes:
              - name: fay
                mac: ["\(EndToEndLab.mac(1))"]
                image: \(row.image.name)
                loader: \(row.loader)
                kernel-arguments: ["\(row.firmware.consoleArgument)"]
            """
        )
        let foreign = row.dhcp == "proxy" ? try foreignServer(lab) : nil
        let watch = try lab.server.watch()
        let fay = try lab.node("fay", number: 1, firmware: row.firmware, card: row.card)
        try fay.machine.powerOn()
        if row.checks.isEmpty {
            try fay.waitUntilUp(watch)
        } else {
            try fay.login(limit: .seconds(480))
            for check in row.checks {
                let said = try fay.run(check.command)
                #expect(said.contains(check.pattern), "\(check.command): \(said)")
            }
            try fay.waitUntilUp(watch)
        }
        let boot = try lab.server.boot(of: "fay")
        #expect(boot.state == "up")
        #expect(boot.sentLoaders == row.loaders)
        #expect(boot.passed("discover", "offer", "script", "initramfs-started", "root-connected", "root-mounted", "up"))
        // These read everything by TFTP: kernel, initramfs and the node's overlay files, of which one reports "up".
        if row.loaders.contains(where: ["pxelinux.0", "grub.0", "grub-x64.efi"].contains) {
            #expect(boot.passed("kernel", "overlay", "up") || boot.passed("overlay", "kernel", "up"))
        }
        for words in row.console { #expect(fay.console.text().contains(words), "\(words)") }
        if let foreign {
            #expect(foreign.output.text().contains("DHCPACK(eth0) 10.77.0.2"))
            #expect(boot.passed("offer"))
            // "OFFER, boot file …" here; with an address "OFFER 10.77.0.9, …". UEFI also asks on port 4011.
            let given = (boot.events ?? []).filter { $0.text.hasPrefix("OFFER ") || $0.text.hasPrefix("ACK ") }
            #expect(given.isEmpty, "a proxy gives no addresses")
        }
    }

    private func foreignServer(_ lab: EndToEndLab) throws -> LabProcess {
        let foreign = try lab.lab.host("dhcp", address: IPv4Address("10.77.0.2"))
        let dnsmasq = try foreign.start([
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root", "--pid-file=",
            "--log-dhcp", "--log-facility=-", "--dhcp-leasefile=\(lab.lab.directory)/leases", "--interface=eth0",
            "--dhcp-range=10.77.0.200,10.77.0.210,1h",
        ])
        try dnsmasq.output.wait(for: "DHCP, IP range", limit: .seconds(10))
        return dnsmasq
    }

    /// GRUB for arm64 cannot be installed here; fetched once through the program itself.
    private func fetchARMLoaders(_ lab: EndToEndLab) throws {
        let kept = Repository.path("build/e2e/loaders")
        if !FileManager.default.fileExists(atPath: "\(kept)/grub/arm64-efi") {
            guard let program = Repository.program else { throw LabError("diskless is not built: make build") }
            let fetch = Process()
            fetch.executableURL = URL(fileURLWithPath: program)
            fetch.arguments = ["loader", "fetch", "arm64", "--state", TestImage.state]
            fetch.standardInput = FileHandle.nullDevice
            try fetch.run()
            fetch.waitUntilExit()
            guard fetch.terminationStatus == 0 else { throw LabError("GRUB for arm64 could not be fetched") }
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: kept) {
            try FileManager.default.copyItem(atPath: "\(kept)/\(name)", toPath: "\(lab.server.state)/loaders/\(name)")
        }
    }
}

extension BootLine {
    /// The loaders that were sent, in order: "sent loader NAME, SIZE in TIME".
    fileprivate var sentLoaders: [String] {
        (events ?? []).filter { $0.kind == "loader" }.map { event in
            String(event.text.dropFirst("sent loader ".count).prefix { $0 != "," })
        }
    }
}

extension Node {
    /// Waits until the server says that the node is up; fails at once when the node says that it cannot go on.
    fileprivate func waitUntilUp(_ watch: LabProcess, limit: Duration = .seconds(480)) throws {
        let found = try watch.output.wait(forAny: ["\"kind\":\"up\"", "\"kind\":\"failed\""], limit: limit)
        guard found.pattern.contains("up") else {
            throw LabError("\(name): \(found.pattern); last lines:\n\(console.lastLines(20).joined(separator: "\n"))")
        }
    }
}
