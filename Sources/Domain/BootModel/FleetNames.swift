/// The names of some entries of a fleet.
public struct FleetNames: Hashable, Sendable {
    /// Networks.
    public var networks: Set<NetworkName> = []
    /// Profiles.
    public var profiles: Set<ProfileName> = []
    /// Nodes.
    public var nodes: Set<NodeName> = []
    /// Users.
    public var users: Set<UserName> = []
    /// Tags of images.
    public var tags: Set<ImageTag.Name> = []

    /// No names.
    public init() {}

    /// The names of either.
    public func union(_ other: FleetNames) -> FleetNames {
        var all = self
        all.networks.formUnion(other.networks)
        all.profiles.formUnion(other.profiles)
        all.nodes.formUnion(other.nodes)
        all.users.formUnion(other.users)
        all.tags.formUnion(other.tags)
        return all
    }
}

/// From which fleet another one was made, and which of its entries were set or removed since.
///
/// A registry settles each fleet that it keeps; what is made from that one by single changes is then compared, checked
/// and written by what was changed, however large the fleet is.
struct FleetLineage: Sendable {
    /// The settled fleet: whatever has the same one was made from it.
    private final class Origin: Sendable {}

    private var origin: Origin?
    /// What was set or removed since, when there is an origin.
    private(set) var touched = FleetNames()
    /// Whether nothing was touched since no contradiction was found.
    private(set) var isFree = false

    /// Notes that entries are touched.
    mutating func touch(_ note: (inout FleetNames) -> Void) {
        isFree = false
        if origin != nil { note(&touched) }
    }

    /// Notes that the fleet is free of contradictions as it is.
    mutating func free() { isFree = true }

    /// Makes the fleet as it is an origin; only for one that is free of contradictions.
    mutating func settle() {
        origin = Origin()
        touched = FleetNames()
    }

    /// Whether there is a settled fleet that this one was made from.
    var isSettled: Bool { origin != nil }

    /// The entries in which two fleets may differ; nil when they are not from the same origin.
    func touched(since other: FleetLineage) -> FleetNames? {
        guard let origin, origin === other.origin else { return nil }
        return other.touched == FleetNames() ? touched : touched.union(other.touched)
    }
}

extension Fleet: Equatable {
    /// Whether both say the same.
    public static func == (left: Fleet, right: Fleet) -> Bool {
        guard let names = left.names(touchedSince: right) else {
            return left.networks == right.networks && left.profiles == right.profiles && left.nodes == right.nodes
                && left.users == right.users && left.tags == right.tags
        }
        return names.networks.allSatisfy { left.networks[$0] == right.networks[$0] }
            && names.profiles.allSatisfy { left.profiles[$0] == right.profiles[$0] }
            && names.nodes.allSatisfy { left.nodes[$0] == right.nodes[$0] }
            && names.users.allSatisfy { left.users[$0] == right.users[$0] }
            && names.tags.allSatisfy { left.tags[$0] == right.tags[$0] }
    }
}

extension Fleet {
    /// The entries in which this fleet may differ from another that was made from the same kept one; nil when nobody
    /// knows, and all must be compared.
    public func names(touchedSince other: Fleet) -> FleetNames? { lineage.touched(since: other.lineage) }

    /// A fleet of only the entries of these names.
    public func part(_ names: FleetNames) -> Fleet {
        Fleet(
            networks: names.networks.compactMap { networks[$0] },
            profiles: names.profiles.compactMap { profiles[$0] },
            nodes: names.nodes.compactMap { nodes[$0] },
            users: names.users.compactMap { users[$0] },
            tags: names.tags.compactMap { tags[$0] }
        )
    }

    /// Makes the entries of these names what they are in `part`, those that it does not have removed.
    public mutating func replace(_ names: FleetNames, by part: Fleet) {
        for name in names.networks { remove(name) }
        for name in names.profiles { remove(name) }
        for name in names.nodes { remove(name) }
        for name in names.users { remove(name) }
        for name in names.tags { remove(name) }
        for network in part.networks.values { set(network) }
        for profile in part.profiles.values { set(profile) }
        for node in part.nodes.values { set(node) }
        for user in part.users.values { set(user) }
        for tag in part.tags.values { set(tag) }
    }
}
