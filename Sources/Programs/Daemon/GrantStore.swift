import BootModel
import Foundation
import Logging
import NetworkTypes
import Synchronization

/// What the boots under way may use of the storage, in memory and on the disk.
///
/// A node's new boot gets its grants when its script goes out; those of the boot before hold until the new one uses its
/// own, so that a script that is asked and not followed takes nothing from a running node.
final class GrantStore: Sendable {
    /// How many boots of one node are kept beside each other.
    private static let limit = 4

    private struct State {
        /// The boots of each node, the oldest first.
        var byNode: [NodeName: [BootGrants]] = [:]
        var revision: UInt64 = 1
    }

    /// Nil keeps nothing on the disk.
    private let directory: String?
    private let logger: Logger
    private let state: Mutex<State>

    /// The grants kept in `directory`, which is made.
    init(directory: String?, logger: Logger) {
        self.directory = directory
        self.logger = logger
        guard let directory else {
            state = Mutex(State())
            return
        }
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var found = State()
        for file in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        where file.hasSuffix(".json") {
            guard let data = FileManager.default.contents(atPath: "\(directory)/\(file)"),
                let grants = try? JSONDecoder().decode([BootGrants].self, from: data), let node = grants.first?.node
            else {
                logger.warning("the grants in \(directory)/\(file) cannot be read: that node must boot again")
                continue
            }
            found.byNode[node] = grants
        }
        state = Mutex(found)
    }

    /// Changes with every change of a grant.
    var revision: UInt64 { state.withLock(\.revision) }

    /// All that holds.
    var all: [BootGrants] { state.withLock { $0.byNode.values.flatMap(\.self) } }

    /// Keeps what a boot may use; on stable storage when this returns.
    func give(_ grants: BootGrants) throws {
        try state.withLock { state in
            var boots = state.byNode[grants.node] ?? []
            let before = boots
            boots.removeAll { $0.boot == grants.boot }
            // The first one may be what the node runs: boots that begin and use nothing must not push it out.
            boots = boots.prefix(1) + boots.dropFirst().suffix(Self.limit - 2) + [grants]
            guard boots != before else { return }
            try write(boots, of: grants.node)
            state.byNode[grants.node] = boots
            state.revision += 1
        }
    }

    /// What a boot may use; nil when it is over, or never was.
    func grants(of boot: BootIdentifier, node: NodeName) -> BootGrants? {
        state.withLock { $0.byNode[node]?.first { $0.boot == boot } }
    }

    /// The boots that are at an address, the newest first.
    func grants(at address: IPv4Address) -> [BootGrants] {
        state.withLock { state in
            state.byNode.values.flatMap { $0.filter { $0.address == address }.reversed() }
        }
    }

    /// The newest boot of a node.
    func newest(of node: NodeName) -> BootGrants? { state.withLock { $0.byNode[node]?.last } }

    /// A boot uses what it was given, at `address`: the node's boots before it are over.
    func used(_ boot: BootIdentifier, node: NodeName, at address: IPv4Address) {
        state.withLock { state in
            guard var boots = state.byNode[node], let place = boots.firstIndex(where: { $0.boot == boot }) else {
                return
            }
            boots.removeFirst(place)
            boots[0].address = boots[0].address ?? address
            guard boots != state.byNode[node] else { return }
            state.byNode[node] = boots
            state.revision += 1
            do { try write(boots, of: node) } catch {
                logger.error("cannot keep the grants of \(node)", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Ends everything that a node may use.
    func end(_ node: NodeName) {
        state.withLock { state in
            guard state.byNode.removeValue(forKey: node) != nil else { return }
            state.revision += 1
            if let directory { try? FileManager.default.removeItem(atPath: "\(directory)/\(node).json") }
        }
    }

    private func write(_ boots: [BootGrants], of node: NodeName) throws {
        guard let directory else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try DurableFile.write(encoder.encode(boots), to: "\(directory)/\(node).json")
    }
}
