import CLinux
import Testing

/// The clients that systems run, each with its own program and its own timers: get, renew, rebind, release.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct DHCPLeaseCycleTests {
    private static let fleet = """
        networks:
          - name: lab
            interface: \(TestNetwork.interface)
            subnet: 10.77.0.0/24
            dhcp: full
            pools: [10.77.0.100-10.77.0.150]
            router: 10.77.0.1
            lease: 60s
        """

    /// A script that does with the address what a system's does.
    private static let script = """
        #!/bin/sh
        address=${ip:-$new_ip_address}
        case ${reason:-$1} in
        bound | renew | BOUND | RENEW | REBIND | REBOOT) ip address replace "$address/24" dev "$interface" ;;
        deconfig | EXPIRE | FAIL | RELEASE | STOP)
            ip address flush dev "$interface"
            ip link set "$interface" up ;;
        esac
        exit 0
        """

    /// A client program: how it starts, and how it is told to give its address back.
    struct Client: Sendable {
        var name: String
        var preparation: String = ":"
        var command: [String]
        /// A signal; nil where a second run of the program tells it.
        var release: CInt?
    }

    private static let networkd = "/lib/systemd/systemd-networkd"

    private static func isThere(_ program: String) -> Bool { unsafe access(program, X_OK) == 0 }

    private static func clients(_ files: String) -> [Client] {
        return [
            Client(
                name: "dhclient",
                command: [
                    "dhclient", "-4", "-d", "-lf", "\(files)/dhclient.leases", "-pf", "\(files)/dhclient.pid", "-sf",
                    "\(files)/script", TestNetwork.interface,
                ],
                release: nil
            ),
            Client(
                name: "udhcpc",
                command: ["udhcpc", "-f", "-R", "-i", TestNetwork.interface, "-s", "\(files)/script"],
                release: SIGTERM
            ),
            Client(
                name: "dhcpcd",
                preparation: "mkdir -p /var/lib/dhcpcd && mount -t tmpfs none /var/lib/dhcpcd",
                command: ["dhcpcd", "-4", "-B", "--nohook", "resolv.conf", TestNetwork.interface],
                release: SIGALRM
            ),
            Client(
                name: "networkd",
                // Where /sys cannot be written it does not wait for udev, which knows nothing of this namespace.
                preparation: """
                    mkdir -p /run/systemd/network && cp \(files)/wire.network /run/systemd/network/ && \
                    mount -o remount,ro,bind /sys
                    """,
                command: [networkd],
                release: SIGTERM
            ),
        ]
    }

    @Test(
        .enabled(
            if: ["dhclient", "udhcpc", "dhcpcd", "nft", "unshare"].allSatisfy(NBDClientProgram.isThere)
                && isThere(networkd),
            "needs dhclient, udhcpc, dhcpcd, systemd-networkd and nft"
        )
    )
    func clientsGetRenewRebindAndRelease() throws {
        let server = try ServerProcess()
        let files = server.files.directory
        try MadeUpImage.write(Self.script, "\(files)/script")
        _ = unsafe chmod("\(files)/script", 0o755)
        let unit = "[Match]\nName=\(TestNetwork.interface)\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\n"
        try MadeUpImage.write(unit + "IPv6AcceptRA=no\n", "\(files)/wire.network")
        // Their folder is read by programs that give up root's rights.
        _ = unsafe chmod(files, 0o755)
        try server.startDHCP(Self.fleet)

        // Each program runs on two computers: what the second sends to the server alone is lost, so it must rebind.
        var stations: [(client: Client, station: Station, process: ClientProcess, directory: String)] = []
        var deaf: [String] = []
        for (index, name) in Self.clients(files).map(\.name).enumerated() {
            for turn in 1...2 {
                let number = 10 * turn + index
                let directory = "\(files)/\(number)"
                _ = unsafe mkdir(directory, 0o755)
                for file in ["script", "wire.network"] {
                    _ = unsafe link("\(files)/\(file)", "\(directory)/\(file)")
                }
                let client = Self.clients(directory)[index]
                let station = try Station(number, on: server)
                if turn == 2 { deaf.append(station.mac) }
                if turn == 2, index == 0 {
                    let rules = """
                        add table ip deaf
                        add chain ip deaf in { type filter hook input priority 0; }
                        """
                    for rule in rules.split(separator: "\n") {
                        #expect(try server.run(["nft", String(rule)]).status == 0)
                    }
                }
                if turn == 2 {
                    let rule = "add rule ip deaf in ether saddr \(station.mac) ip daddr 10.77.0.1 udp dport 67 drop"
                    #expect(try server.run(["nft", rule]).status == 0)
                }
                let process = try station.start(client.preparation, client.command, log: "\(number)/log")
                stations.append((client, station, process, directory))
                _ = name
            }
        }
        func says(_ words: String, _ mac: String) -> Bool {
            server.log.split(separator: "\n").contains { $0.contains("[DHCPServer] \(words)") && $0.contains(mac) }
        }
        func logs(_ directory: String) -> String { NBDClientProgram.text("\(directory)/log") }
        for (client, station, _, directory) in stations {
            try server.wait(seconds: 20, "\(client.name) gets no address: \(logs(directory)) \(server.log)") {
                says("leased", station.mac)
            }
        }
        // After half of the minute by unicast, after 7/8 of it by broadcast.
        for (client, station, _, directory) in stations {
            let how = deaf.contains(station.mac) ? "rebind" : "renew"
            try server.wait(seconds: 65, "\(client.name) does not \(how): \(logs(directory)) \(server.log)") {
                says("renewed", station.mac)
            }
        }
        #expect(try server.run(["nft", "delete table ip deaf"]).status == 0)
        for (client, station, process, directory) in stations {
            if let signal = client.release {
                process.signal(signal)
            } else {
                _ = try server.run([client.command[0], "-r"] + client.command.dropFirst(3), in: station.name)
            }
            try server.wait("\(client.name) does not release: \(logs(directory)) \(server.log)") {
                server.log.split(separator: "\n").contains {
                    $0.contains(station.mac) && $0.contains(" released 10.77")
                }
            }
        }
        #expect(!server.log.contains("error"), "\(server.log)")
    }
}
