import CLinux
import NetworkIO
import NetworkTypes
import Testing

/// A DHCP or BOOTP request built by hand: these tests know nothing of our codec.
struct WireRequest: Sendable {
    var mac: [UInt8]
    var transaction: UInt32
    /// Asks for an answer by broadcast: the sender's hardware address is made up, so a unicast would not reach it.
    var isBroadcast = true
    /// `ciaddr`.
    var client = IPv4Address.any
    /// `giaddr`.
    var relay = IPv4Address.any
    /// The legacy fields before the options.
    var serverName: [UInt8] = []
    var file: [UInt8] = []
    /// Codes and contents in order; code 0 stands for its bytes as they are.
    var options: [(code: UInt8, content: [UInt8])]

    static let discover: UInt8 = 1
    static let offer: UInt8 = 2
    static let request: UInt8 = 3
    static let decline: UInt8 = 4
    static let acknowledge: UInt8 = 5
    static let refuse: UInt8 = 6
    static let release: UInt8 = 7
    static let inform: UInt8 = 8

    /// A message of some type; nil for BOOTP.
    init(_ type: UInt8?, mac: [UInt8], _ options: [(code: UInt8, content: [UInt8])] = []) {
        self.mac = mac
        transaction = UInt32.random(in: 1...UInt32.max)
        self.options = (type.map { [(53, [$0])] } ?? []) + options
    }

    /// The hardware address 52:54:00:aa:xx:xx of a made-up machine.
    static func mac(_ number: Int) -> [UInt8] {
        [0x52, 0x54, 0, 0xaa, UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
    }

    static func bytes(_ address: IPv4Address) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: address.value >> $0) }
    }

    private static func padded(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: count - bytes.count)
    }

    /// The datagram's bytes.
    var bytes: [UInt8] {
        let number = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: transaction >> $0) }
        var all: [UInt8] = [1, 1, 6, 0] + number + [0, 0, isBroadcast ? 0x80 : 0, 0]
        all += Self.bytes(client) + [UInt8](repeating: 0, count: 8) + Self.bytes(relay)
        all += Self.padded(mac, 16) + Self.padded(serverName, 64) + Self.padded(file, 128) + [99, 130, 83, 99]
        for (code, content) in options { all += code == 0 ? content : [code, UInt8(content.count)] + content }
        return Self.padded(all + [255], max(300, all.count + 1))
    }
}

/// An answer, read by hand.
struct WireAnswer: Sendable {
    var transaction: UInt32
    var mac: [UInt8]
    /// `yiaddr`.
    var address: IPv4Address
    /// `ciaddr`.
    var client: IPv4Address
    /// `siaddr`.
    var nextServer: IPv4Address
    /// `file`, when it holds no options.
    var file: String
    /// Options by code, their parts joined, those in `file` and `sname` too.
    var options: [UInt8: [UInt8]] = [:]
    /// The codes in the order of the main field.
    var order: [UInt8] = []
    var count: Int

    var type: UInt8? { options[53]?.first }
    var server: IPv4Address { number(54).map { IPv4Address(value: $0) } ?? .any }

    /// An option of four bytes.
    func number(_ code: UInt8) -> UInt32? {
        guard let content = options[code], content.count == 4 else { return nil }
        return content.reduce(0) { $0 << 8 | UInt32($1) }
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 240, bytes[0] == 2 else { return nil }
        func field(_ at: Int) -> IPv4Address {
            IPv4Address(value: bytes[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) })
        }
        count = bytes.count
        transaction = bytes[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
        (client, address, nextServer) = (field(12), field(16), field(20))
        mac = Array(bytes[28..<34])
        file = String(decoding: bytes[108..<236].prefix { $0 != 0 }, as: UTF8.self)
        read(bytes[240...], isMain: true)
        let overload = options[52]?.first ?? 0
        if overload & 1 != 0 { read(bytes[108..<236], isMain: false) }
        if overload & 2 != 0 { read(bytes[44..<108], isMain: false) }
        if overload & 1 != 0 { file = "" }
    }

    private mutating func read(_ field: ArraySlice<UInt8>, isMain: Bool) {
        var at = field.startIndex
        while at < field.endIndex, field[at] != 255 {
            if field[at] == 0 {
                at += 1
                continue
            }
            guard at + 1 < field.endIndex, at + 2 + Int(field[at + 1]) <= field.endIndex else { return }
            options[field[at], default: []] += field[at + 2..<at + 2 + Int(field[at + 1])]
            if isMain { order.append(field[at]) }
            at += 2 + Int(field[at + 1])
        }
    }
}

/// A socket on the client's side of the wire, that speaks for any number of made-up machines.
final class DHCPWire: Sendable {
    private let socket: UDPSocket

    /// As clients (port 68), or as a relay agent (port 67) whose address is the namespace's.
    init(_ server: ServerProcess, port: UInt16 = 68, in namespace: String? = nil, interface: String? = nil) throws {
        let interface = interface ?? TestNetwork.interface
        socket = try TestNetwork.socket(in: namespace ?? server.network.client) {
            try UDPSocket(bind: Endpoint(.any, port), interface: interface, broadcast: true, sharesPort: true)
        }
    }

    func send(_ bytes: [UInt8], to peer: Endpoint = Endpoint(.broadcast, 67)) throws {
        try socket.send(bytes.span, to: peer)
    }

    /// The next answer of any kind within some milliseconds.
    func next(milliseconds: Int) throws -> WireAnswer? {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = end - .now
            guard left > .zero else { return nil }
            let wait = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
            var waits = pollfd(fd: socket.descriptor.number, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&waits, 1, CInt(wait + 1))
            guard let (count, _) = try socket.receiveWithoutWaiting(into: &buffer) else { continue }
            if let answer = WireAnswer(Array(buffer[..<count])) { return answer }
        }
    }

    /// Asks once and waits for the answer to this very question.
    func ask(
        _ request: WireRequest,
        to peer: Endpoint = Endpoint(.broadcast, 67),
        milliseconds: Int = 4000
    ) throws -> WireAnswer? {
        try send(request.bytes, to: peer)
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while ContinuousClock.now < end {
            let left = end - .now
            let wait = Int(left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000)
            if let answer = try next(milliseconds: max(wait, 1)), answer.transaction == request.transaction {
                return answer
            }
        }
        return nil
    }

    /// DISCOVER to ACK for one machine, with further options in both messages.
    func lease(_ mac: [UInt8], _ options: [(code: UInt8, content: [UInt8])] = []) throws -> WireAnswer {
        let offer = try #require(try ask(WireRequest(WireRequest.discover, mac: mac, options)), "no offer")
        #expect(offer.type == WireRequest.offer)
        let chosen: [(code: UInt8, content: [UInt8])] = [
            (50, WireRequest.bytes(offer.address)), (54, WireRequest.bytes(offer.server)),
        ]
        return try #require(
            try ask(WireRequest(WireRequest.request, mac: mac, chosen + options)),
            "no answer to the REQUEST of \(offer.address)"
        )
    }
}

/// A further computer on the wire, with a network stack of its own.
final class Station {
    let name: String
    let interface = TestNetwork.interface
    private let server: ServerProcess

    /// - Parameter number: ends its hardware address, 52:54:00:77:02:NUMBER, and its name.
    init(_ number: Int, on server: ServerProcess, address: String? = nil) throws {
        self.server = server
        name = server.network.client + "-\(number)"
        mac = "52:54:00:77:02:" + (number < 16 ? "0" : "") + String(number, radix: 16)
        let client = server.network.client
        try TestNetwork.ip("netns add \(name)")
        try TestNetwork.ip("-n \(client) link add link \(interface) name m\(number) type macvlan mode bridge")
        try TestNetwork.ip("-n \(client) link set m\(number) address \(mac)")
        try TestNetwork.ip("-n \(client) link set m\(number) netns \(name) name \(interface)")
        try TestNetwork.ip("-n \(name) link set lo up")
        try TestNetwork.ip("-n \(name) link set \(interface) up")
        if let address { try TestNetwork.ip("-n \(name) address add \(address) dev \(interface)") }
    }

    let mac: String

    deinit { try? TestNetwork.ip("netns delete \(name)") }

    /// Starts a program there, in a mount namespace of its own after `preparation`.
    func start(_ preparation: String, _ command: [String], log: String) throws -> ClientProcess {
        let place = NBDClientProgram.place(of: command[0]) ?? command[0]
        let script = "mount --make-rprivate / && mount -t tmpfs none /run && \(preparation) && exec \"$@\""
        return try ClientProcess(
            ["unshare", "-m", "sh", "-c", script, "sh", place] + command.dropFirst(),
            in: name,
            log: server.files.path(log)
        )
    }
}

extension ServerProcess {
    /// Starts the server with its networks in a fleet file, and waits until it answers there.
    func startDHCP(_ fleet: String) throws {
        try start(["--log", "debug"])
        try apply(fleet)
        try wait("DHCP does not answer: \(log)") { log.contains("DHCP answers on") }
    }

    /// Applies a fleet file that replaces all that was.
    func apply(_ fleet: String) throws {
        let file = files.path("fleet.yaml")
        try MadeUpImage.write(fleet, file)
        let applied = try diskless("apply", file)
        try #require(applied.status == 0, "\(applied.errors)")
    }

    /// Waits longer than `wait` does.
    func wait(seconds: Int, _ problem: @autoclosure () -> String, until condition: () throws -> Bool) throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if try condition() { return }
            usleep(20_000)
        }
        Issue.record("\(problem())")
    }

    /// Address and hardware address of each lease that the server shows.
    func leases() throws -> [String: String] {
        let lines = try diskless("leases").output.split(separator: "\n").map { $0.split(separator: "\t") }
        return Dictionary(lines.filter { $0.count > 1 }.map { (String($0[0]), String($0[1])) }) { $1 }
    }
}
