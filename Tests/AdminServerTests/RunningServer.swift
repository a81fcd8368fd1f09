import AdminAPI
import BootModel
import BootModelConformance
import Foundation
import HTTPServer
import Logging
import NetworkIO
import NetworkTypes

@testable import AdminServer

/// An admin server on a socket of its own, with fakes behind it.
final class RunningServer: Sendable {
    typealias Store = NodeRegistry & LeaseStore & EventLog

    let client: AdminClient
    private let directory: String
    private let server: HTTPServer

    init(
        _ store: any Store,
        networks: [Network] = [],
        awaitFollowers: @escaping @Sendable () -> Void = {}
    ) throws {
        directory = FileManager.default.temporaryDirectory.path + "/diskless-admin-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        client = AdminClient(socketPath: directory + "/admin.sock")
        let served = networks.map {
            ServerFacts.ServedNetwork(
                network: $0,
                interface: "eth1",
                server: ServerAddresses(address: IPv4Address(10, 0, 0, 1))
            )
        }
        var services = AdminServices(
            registry: store,
            leases: store,
            log: store,
            planning: FakePlanning(store: store),
            clock: FixedClock(),
            facts: {
                ServerFacts(
                    version: "0.0.0",
                    process: 1,
                    started: Sample.time,
                    stateDirectory: "/nowhere",
                    networks: served,
                    listeners: [ServerFacts.Listener(service: "NBD", place: "TCP 0.0.0.0:10809")]
                )
            }
        )
        services.awaitFollowers = awaitFollowers
        var options = HTTPServerOptions()
        options.bodyLimit = AdminHandler.bodyLimit
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        server = try HTTPServer(
            on: StreamListener(unix: client.socketPath),
            handler: AdminHandler(services),
            options: options,
            logger: logger
        )
    }

    func stop() { server.stop() }

    deinit {
        server.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// The time that every sample begins at.
struct FixedClock: Clock {
    func now() -> Timestamp { Sample.time }
}

/// Plans over a fleet with one image, `debian@7`, and two loaders.
struct FakePlanning: BootPlanning {
    let store: any NodeRegistry

    func identify(_ request: NodeRequest) -> (node: Node, isKnown: Bool) {
        let fleet = (try? store.fleet()) ?? Fleet()
        return fleet.identify(mac: request.mac, uuid: request.uuid)
    }

    func plan(
        for request: NodeRequest,
        addressing: NodeAddressing,
        server: ServerAddresses
    ) -> Result<BootPlan, BootRefusal> {
        let fleet = (try? store.fleet()) ?? Fleet()
        let node = identify(request).node
        let image = ImageVersion(
            id: ImageVersionID(ImageName(checked: "debian"), 7),
            architecture: "amd64",
            kernelRelease: "6.1.0",
            rootFormat: .ext4,
            created: Sample.time,
            files: [:]
        )
        do throws(BootRefusal) {
            return .success(
                try BootPlanner.plan(
                    BootPlanner.Inputs(
                        node: node,
                        settings: fleet.effectiveSettings(for: node),
                        image: image,
                        request: request,
                        addressing: addressing,
                        server: server,
                        loaders: ["undionly.kpxe", "snponly.efi"]
                    )
                )
            )
        } catch {
            return .failure(error)
        }
    }
}
