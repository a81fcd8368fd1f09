import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// What the server has acknowledged is there after `kill -9`, whatever it was doing.
@Suite(
    .enabled(
        if: TestNetwork.isPossible && NBDClientProgram.isThere("python3"),
        "needs root, ip for network namespaces, and python3"
    ),
    .boundedWait
) struct KilledWriterTests {
    private static let fleet = """
        networks:
          - {name: far, subnet: 10.88.0.0/16, dhcp: full, relays: [10.77.0.2], probe: off, pools: [10.88.1.0-10.88.200.255]}

        """

    /// Four clients add nodes and another gets leases as fast as they can, 10,000 writes in all; the server is killed
    /// three times in the middle and started again, and everything that was acknowledged is there at the end.
    @Test func tenThousandWritesThroughThreeKills() throws {
        let server = try ServerProcess()
        try server.start()
        let file = server.files.path("fleet.yaml")
        try MadeUpImage.write(Self.fleet, file)
        #expect(try server.diskless("apply", file).status == 0)
        let (nodes, leases) = (server.files.path("nodes.py"), server.files.path("leases.py"))
        try MadeUpImage.write(Self.nodes, nodes)
        try MadeUpImage.write(Self.leases, leases)
        let notes = (0..<5).map { server.files.path("acknowledged-\($0)") }
        let clients = try notes.enumerated().map { number, path in
            let command =
                number < 4
                ? ["python3", nodes, "\(server.state)/admin.sock", "\(number)", "1500", path]
                : ["ip", "netns", "exec", server.network.client, "python3", leases, "4000", path]
            return try NBDClientProgram.start(["timeout", "-s", "KILL", "240"] + command, log: path + ".log")
        }
        func acknowledged(_ number: Int) -> [String] {
            NBDClientProgram.text(notes[number]).split(separator: "\n").map(String.init)
        }
        func count() -> Int { notes.reduce(0) { sum, note in sum + NBDClientProgram.bytes(note).count { $0 == 0x0a } } }
        for limit in [1500, 4000, 7000] {
            for _ in 0..<1200 {
                if count() >= limit { break }
                usleep(50_000)
            }
            #expect(count() < 10_000, "the clients were done before the server was killed")
            server.kill()
            try server.start()
        }
        for (number, process) in clients.enumerated() {
            var status: CInt = 0
            unsafe waitpid(process, &status, 0)
            #expect(status == 0, "\(NBDClientProgram.text(notes[number] + ".log"))")
        }
        server.kill()
        try server.start()
        let named = (0..<4).flatMap(acknowledged)
        let listed = Set(
            try server.diskless("node", "list").output.split(separator: "\n").compactMap {
                $0.split(separator: "\t").first.map(String.init)
            }
        )
        #expect(named.count == 6000)
        #expect(Set(named).subtracting(listed).isEmpty, "nodes are lost")
        let given = acknowledged(4)
        let kept = Set(
            try server.diskless("leases").output.split(separator: "\n").map {
                let fields = $0.split(separator: "\t")
                return fields.count > 1 ? "\(fields[1]) \(fields[0])" : ""
            }
        )
        #expect(given.count == 4000)
        #expect(Set(given).subtracting(kept).isEmpty, "leases are lost")
        #expect(Set(given.compactMap { $0.split(separator: " ").last }).count == 4000, "an address was given twice")
        print("killed three times within \(named.count) nodes and \(given.count) leases; all are there")
    }

    /// Adds nodes over the admin socket; an answer that did not come is asked for again.
    private static let nodes = """
        import http.client, json, socket, sys, time
        class Unix(http.client.HTTPConnection):
            def connect(self):
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.connect(sys.argv[1])
        number, count = int(sys.argv[2]), int(sys.argv[3])
        with open(sys.argv[4], "w") as noted:
            for index in range(count):
                name = "n%d-%d" % (number, index)
                body = json.dumps({"name": name, "macs": ["02:00:0%d:00:%02x:%02x" % (number, index >> 8, index & 255)],
                                   "profiles": []})
                while True:
                    try:
                        connection = Unix("localhost")
                        connection.request("POST", "/v1/nodes", body)
                        reply = connection.getresponse()
                        text = reply.read()
                        connection.close()
                        break
                    except (OSError, http.client.HTTPException):
                        time.sleep(0.02)
                # 409: it was written, and the server killed before it could say so.
                assert reply.status == 201 or (reply.status == 409 and b"exists already" in text), text
                noted.write(name + chr(10))
                noted.flush()
        """

    /// Gets leases as a relay agent does for the machines behind it; notes each that was acknowledged.
    private static let leases = """
        import socket, struct, sys
        relay = socket.inet_aton("10.77.0.2")
        wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        wire.bind(("10.77.0.2", 67))
        wire.settimeout(0.3)
        def packet(kind, mac, number, more):
            return (struct.pack("!BBBBIHH4s4s4s4s", 1, 1, 6, 1, number, 0, 0, bytes(4), bytes(4), bytes(4), relay) + mac
                    + bytes(202) + bytes([99, 130, 83, 99, 53, 1, kind]) + more + bytes([255]))
        def ask(kind, mac, number, more, wanted):
            wire.sendto(packet(kind, mac, number, more), ("10.77.0.1", 67))
            while True:
                reply = wire.recv(2048)
                if struct.unpack("!I", reply[4:8])[0] == number and bytes([53, 1, wanted]) in reply[240:250]:
                    at, found = 240, {}
                    while reply[at] != 255:
                        if reply[at]:
                            found[reply[at]] = reply[at + 2:at + 2 + reply[at + 1]]
                            at += reply[at + 1] + 1
                        at += 1
                    return reply[16:20], found[54]
        with open(sys.argv[2], "w") as noted:
            for number in range(int(sys.argv[1])):
                mac = bytes([2, 0, 9, 0, number >> 8, number & 255])
                for attempt in range(200):
                    try:
                        address, server = ask(1, mac, number * 1000 + attempt, b"", 2)
                        more = bytes([50, 4]) + address + bytes([54, 4]) + server
                        address, _ = ask(3, mac, number * 1000 + attempt, more, 5)
                        break
                    except OSError:
                        pass
                else:
                    sys.exit("no lease for " + mac.hex(":"))
                noted.write(mac.hex(":") + " " + socket.inet_ntoa(address) + chr(10))
                noted.flush()
        """
}
