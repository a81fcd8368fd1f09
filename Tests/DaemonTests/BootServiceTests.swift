import BootModel
import BootModelConformance
import HTTP1
import HTTPServer
import Logging
import NetworkTypes
import Synchronization
import Testing

@testable import Daemon

/// One image for amd64.
private struct OneImage: ImageCatalog {
    let version: ImageVersion

    init() throws {
        version = ImageVersion(
            id: try #require(ImageVersionID("debian@7")),
            architecture: "amd64",
            kernelRelease: "6.1",
            rootFormat: .squashfs,
            created: Timestamp(seconds: 0),
            files: [:]
        )
    }

    func versions() -> [ImageVersion] { [version] }
    func resolve(_ reference: ImageReference) -> ImageVersion? { version }
    func newest() -> ImageVersion? { version }
    func path(of role: ImageFileRole, in version: ImageVersionID) -> String { "/nonexistent" }
}

/// Keeps what is saved and appended, or refuses every boot.
private final class WatchedLog: EventLog {
    struct DiskFull: Error {}
    let saved = Mutex<[Boot]>([])
    let appended = Mutex<[BootEvent]>([])
    let isFull: Bool

    init(isFull: Bool = false) { self.isFull = isFull }

    func save(_ boot: Boot) throws {
        if isFull { throw DiskFull() }
        saved.withLock { $0.append(boot) }
    }

    func save(_ boots: [Boot]) throws { for boot in boots { try save(boot) } }

    func append(_ event: BootEvent) {
        appended.withLock { $0.append(event) }
    }

    func boots(of node: NodeName?, limit: Int) -> [Boot] { [] }
    func events(of boot: BootIdentifier) -> [BootEvent] { [] }
    func observe(_ handler: @escaping @Sendable (BootEvent) -> Void) -> any Observation {
        InMemoryRegistry().observe(handler)
    }
}

/// What was logged.
private final class LoggedLines: Sendable {
    let all = Mutex<[String]>([])
}

private struct LinesHandler: LogHandler {
    let lines: LoggedLines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
    func log(event: LogEvent) { lines.all.withLock { $0.append("\(event.level)") } }
}

@Suite struct BootServiceTests {
    private let mac = MACAddress(value: 0x5254_0012_3456)
    private let server = ServerAddresses(address: IPv4Address(10, 0, 0, 1))
    private let node = IPv4Address(10, 0, 0, 71)
    private let stranger = IPv4Address(10, 0, 0, 72)

    private func service(
        _ log: any EventLog,
        _ registry: InMemoryRegistry = InMemoryRegistry(),
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) throws -> BootService {
        try BootService(
            registry: registry,
            catalog: OneImage(),
            log: log,
            loaders: LoaderFiles(own: "/nonexistent"),
            clock: SystemClock(),
            logger: logger
        )
    }

    private func event(_ kind: BootEvent.Kind, detail: String? = nil) -> BootEvent {
        BootEvent(time: Timestamp(seconds: 0), node: NodeName(unknown: mac), mac: mac, kind: kind, detail: detail)
    }

    @Test func explainingChangesNothing() throws {
        let service = try service(WatchedLog())
        service.record(event(.discover), reached: .loaderRuns)
        let before = try #require(service.boot(of: mac))
        #expect(before.started == Timestamp(seconds: 0), "a boot begins with its first event")
        var asked = NodeRequest(mac: mac, architecture: .arm64EFI, stage: .ipxe([.http, .efi]))
        let onlooker = Onlooker(boots: service)
        _ = onlooker.plan(for: asked, addressing: .foreign, server: server)
        #expect(service.boot(of: mac) == before)
        asked.architecture = .bios
        let plan = try onlooker.plan(for: asked, addressing: .foreign, server: server).get()
        #expect(!plan.script.contains(before.id.text), "who only looks is not told the boot's secret")
        // The same question from the machine itself is taken in.
        _ = service.plan(for: asked, addressing: .foreign, server: server)
        #expect(service.boot(of: mac)?.architecture == .bios)
    }

    @Test func whatAServerLogsItselfIsKeptAndNotLoggedAgain() throws {
        let log = WatchedLog()
        let lines = LoggedLines()
        let service = try service(log, logger: Logger(label: "test") { _ in LinesHandler(lines: lines) })
        service.keeper.record(event(.refuse, detail: "is meant to get nothing"), reached: nil)
        #expect(lines.all.withLock { $0 } == [])
        service.record(event(.refuse, detail: "is not its own"), reached: nil)
        #expect(lines.all.withLock { $0 } == ["warning"])
        service.drain()
        #expect(log.appended.withLock { $0.count } == 2)
    }

    @Test func anOlderStateOfABootNeverReplacesANewerOne() throws {
        let log = WatchedLog()
        let service = try service(log)
        service.record(event(.discover), reached: .loaderRuns)
        _ = service.planScript(for: mac, addressing: .foreign, server: server)
        service.drain()
        // The event is written after the script was planned, with the boot as it is by then.
        #expect(log.saved.withLock { $0.last?.progress } == .script)
        #expect(log.saved.withLock { $0.last?.image?.description } == "debian@7")
    }

    @Test func aFullDiskKeepsEventsFromNobodyWhoWatches() throws {
        let log = WatchedLog(isFull: true)
        let service = try service(log)
        service.record(event(.discover), reached: .loaderRuns)
        service.drain()
        #expect(log.appended.withLock { $0.map(\.kind) } == [.discover])
    }

    @Test func aNodesWordsMakeOneLineOfTheLog() {
        let failure = event(.failed, detail: "no root\r\n2026-11-21 info: all is well\nand more")
        #expect(BootService.line(of: failure) == "failed: no root")
    }

    @Test func aNodeKnownByItsUUIDStaysItselfAfterDHCP() throws {
        let registry = InMemoryRegistry()
        let name = try NodeName(validating: "megane")
        let uuid = MachineUUID(bytes: Array(1...16))
        try registry.update { $0.set(Node(name: name, macs: [], uuid: uuid)) }
        let service = try service(WatchedLog(), registry)
        let told = NodeRequest(mac: mac, uuid: uuid, stage: .ipxe([.http, .efi]))
        #expect(service.identify(told).node.name == name)
        service.record(
            BootEvent(time: Timestamp(seconds: 0), node: name, mac: mac, kind: .discover),
            reached: .loaderRuns
        )
        #expect(try service.planScript(for: mac, addressing: .foreign, server: server).get().node == name)
        #expect(service.identify(NodeRequest(mac: mac, stage: .system)).node.name == name)
        let other = NodeRequest(mac: mac, uuid: MachineUUID(bytes: Array(2...17)), stage: .firmware)
        #expect(!service.identify(other).isKnown, "another machine with that card")
    }

    // MARK: Who may begin a boot

    private func ask(_ method: String, at peer: IPv4Address, of service: BootService) throws -> HTTPResponse {
        let (mac, node) = (mac, node)
        // 10.0.0.73 is behind a router; 10.0.0.1 is this computer.
        let peers = PeerDirectory(
            leaseHolder: { $0 == node ? mac : $0 == IPv4Address(10, 0, 0, 72) ? MACAddress(value: 72) : nil },
            neighbourTable: "/nonexistent"
        )
        let routes = BootRoutes(
            boots: service,
            catalog: try OneImage(),
            loaders: service.loaders,
            peers: peers,
            configurations: BootConfigurations(
                boots: service,
                peers: peers,
                lease: { _ in nil },
                ports: (http: 8067, nbd: 10809),
                clock: SystemClock()
            ),
            overlay: { _, _, _ in nil },
            clock: SystemClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        return routes.respond(to: try request(method, at: peer))
    }

    private func script(_ response: HTTPResponse) -> String {
        guard case .bytes(let bytes) = response.body else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func onlyTheMachineItselfBeginsABoot() throws {
        let service = try service(WatchedLog())
        let own = script(try ask("GET", at: node, of: service))
        let boot = try #require(service.boot(of: mac))
        #expect(own.contains(boot.id.text))
        service.record(event(.up), reached: .up)
        for (method, peer) in [("GET", stranger), ("GET", server.address), ("HEAD", node)] {
            let other = script(try ask(method, at: peer, of: service))
            #expect(other.hasPrefix("#!ipxe"), "\(method) \(peer)")
            #expect(!other.contains(boot.id.text), "\(method) \(peer)")
            #expect(service.boot(of: mac)?.id == boot.id, "\(method) \(peer)")
        }
        _ = try ask("GET", at: IPv4Address(10, 0, 0, 73), of: service)
        #expect(service.boot(of: mac)?.id != boot.id, "nobody can tell who is behind a router")
    }
}

extension BootServiceTests {
    /// A request for the machine's script, as it comes in from `peer`.
    private func request(_ method: String, at peer: IPv4Address) throws -> HTTPRequest {
        let bytes = Array("\(method) /boot/52-54-00-12-34-56/script.ipxe HTTP/1.1\r\nHost: server\r\n\r\n".utf8)
        let head = try #require(try HTTPRequestParser.parse(bytes.span)).head
        return HTTPRequest(head: head, peer: .network(Endpoint(peer, 50_000)), local: Endpoint(server.address, 8067))
    }
}
