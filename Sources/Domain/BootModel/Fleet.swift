public import NetworkTypes

/// The desired state as one value: networks, profiles, nodes, users and image tags, with the look-ups that every request needs.
///
/// A value may hold contradictions; `problems` lists them, and a registry refuses to keep a fleet that has any.
public struct Fleet: Sendable {
    /// The networks that we serve, by name.
    public private(set) var networks: [NetworkName: Network] = [:]
    /// The profiles, by name.
    public private(set) var profiles: [ProfileName: Profile] = [:]
    /// The nodes, by name.
    public private(set) var nodes: [NodeName: Node] = [:]
    /// Those who may log in to nodes, by name.
    public private(set) var users: [UserName: User] = [:]
    /// The tags of images, by name.
    public private(set) var tags: [ImageTag.Name: ImageTag] = [:]
    /// The profiles that apply themselves, so that a request need not look at all of them.
    private(set) var selecting: Set<ProfileName> = []

    private var namesByMAC: [MACAddress: NodeName] = [:]
    private var namesByUUID: [MachineUUID: NodeName] = [:]
    private var namesByIdentity: [DHCPIdentity: NodeName] = [:]
    private var namesByAddress: [IPv4Address: NodeName] = [:]
    /// The nodes that name something which belongs to another, or the same thing twice; none in a fleet that is kept.
    private(set) var contested: Set<NodeName> = []
    /// From which kept fleet this one was made, and what was changed since.
    private(set) var lineage = FleetLineage()

    /// A fleet from its parts; of two that share a name the later wins.
    public init(
        networks: [Network] = [],
        profiles: [Profile] = [],
        nodes: [Node] = [],
        users: [User] = [],
        tags: [ImageTag] = []
    ) {
        for network in networks { set(network) }
        for profile in profiles { set(profile) }
        for node in nodes { set(node) }
        for user in users { set(user) }
        for tag in tags { set(tag) }
    }

    /// Adds a network, or replaces the one of its name.
    public mutating func set(_ network: Network) {
        lineage.touch { $0.networks.insert(network.name) }
        networks[network.name] = network
    }
    /// Adds a profile, or replaces the one of its name.
    public mutating func set(_ profile: Profile) {
        lineage.touch { $0.profiles.insert(profile.name) }
        profiles[profile.name] = profile
        if profile.selectors.isEmpty { selecting.remove(profile.name) } else { selecting.insert(profile.name) }
    }
    /// Adds a user, or replaces the one of that name.
    public mutating func set(_ user: User) {
        lineage.touch { $0.users.insert(user.name) }
        users[user.name] = user
    }
    /// Adds a tag, or moves the one of its name.
    public mutating func set(_ tag: ImageTag) {
        lineage.touch { $0.tags.insert(tag.name) }
        tags[tag.name] = tag
    }
    /// Adds a node, or replaces the one of its name.
    public mutating func set(_ node: Node) {
        remove(node.name)
        lineage.touch { $0.nodes.insert(node.name) }
        nodes[node.name] = node
        claim(node)
    }

    /// Removes the network of this name, if there is one.
    public mutating func remove(_ name: NetworkName) {
        lineage.touch { $0.networks.insert(name) }
        networks[name] = nil
    }
    /// Removes the profile of this name, if there is one.
    public mutating func remove(_ name: ProfileName) {
        lineage.touch { $0.profiles.insert(name) }
        profiles[name] = nil
        selecting.remove(name)
    }
    /// Removes the user of this name, if there is one.
    public mutating func remove(_ name: UserName) {
        lineage.touch { $0.users.insert(name) }
        users[name] = nil
    }
    /// Removes the tag of this name, if there is one.
    public mutating func remove(_ name: ImageTag.Name) {
        lineage.touch { $0.tags.insert(name) }
        tags[name] = nil
    }
    /// Removes the node of this name, if there is one.
    public mutating func remove(_ name: NodeName) {
        guard let node = nodes.removeValue(forKey: name) else { return }
        lineage.touch { $0.nodes.insert(name) }
        for mac in node.macs where namesByMAC[mac] == name { namesByMAC[mac] = nil }
        if let uuid = node.uuid, namesByUUID[uuid] == name { namesByUUID[uuid] = nil }
        for identity in node.identities where namesByIdentity[identity] == name { namesByIdentity[identity] = nil }
        if let address = node.address, namesByAddress[address] == name { namesByAddress[address] = nil }
        guard !contested.isEmpty else { return }
        // What it leaves may belong to one of those that had to do without.
        let waiting = contested.subtracting([name]).sorted()
        contested = []
        for name in waiting { if let node = nodes[name] { claim(node) } }
    }

    /// Notes whose a node's addresses and identities are; of several that name one, the first.
    private mutating func claim(_ node: Node) {
        let name = node.name
        var isAlone = node.macs.count < 2 || Set(node.macs).count == node.macs.count
        for mac in node.macs { isAlone = Self.claim(mac, name, &namesByMAC) && isAlone }
        if let uuid = node.uuid { isAlone = Self.claim(uuid, name, &namesByUUID) && isAlone }
        if !node.identities.isEmpty {
            isAlone = isAlone && Set(node.identities).count == node.identities.count
            for identity in node.identities { isAlone = Self.claim(identity, name, &namesByIdentity) && isAlone }
        }
        if let address = node.address { isAlone = Self.claim(address, name, &namesByAddress) && isAlone }
        if !isAlone { contested.insert(name) }
    }

    private static func claim<Key: Hashable>(_ key: Key, _ name: NodeName, _ names: inout [Key: NodeName]) -> Bool {
        if let owner = names[key] { return owner == name }
        names[key] = name
        return true
    }

    /// Every contradiction in it, in a fixed order; empty when the fleet can be kept.
    ///
    /// What was found to be free of them is not looked at again until it changes.
    public mutating func check() -> [FleetProblem] {
        if lineage.isFree { return [] }
        let found = problems
        if found.isEmpty { lineage.free() }
        return found
    }

    /// Makes it the one that others are compared with; throws when it contradicts itself.
    public mutating func settle() throws(FleetProblems) {
        let found = check()
        guard found.isEmpty else { throw FleetProblems(found) }
        lineage.settle()
    }

    /// The node with this hardware address.
    public func node(mac: MACAddress) -> Node? { namesByMAC[mac].flatMap { nodes[$0] } }
    /// The node with this machine UUID.
    public func node(uuid: MachineUUID) -> Node? { namesByUUID[uuid].flatMap { nodes[$0] } }
    /// The node for which this address is reserved.
    public func node(address: IPv4Address) -> Node? { namesByAddress[address].flatMap { nodes[$0] } }

    /// The node that a machine is: by hardware address, else by UUID; else a node of its own that nobody has named,
    /// which has the default profile.
    public func identify(mac: MACAddress, uuid: MachineUUID? = nil) -> (node: Node, isKnown: Bool) {
        if let node = node(mac: mac) { return (node, true) }
        if let uuid, !uuid.isUnset, let node = node(uuid: uuid) { return (node, true) }
        return (Node(name: NodeName(unknown: mac), macs: [mac]), false)
    }

    /// The node that a request is from: by hardware address, else by UUID, by client identifier, or by the relay's port;
    /// else a node of its own that nobody has named.
    public func identify(_ request: NodeRequest) -> (node: Node, isKnown: Bool) {
        let found = identify(mac: request.mac, uuid: request.uuid)
        if found.isKnown || namesByIdentity.isEmpty { return found }
        for identity in request.identities {
            if let node = namesByIdentity[identity].flatMap({ nodes[$0] }) { return (node, true) }
        }
        return found
    }

    /// The network whose subnet holds this address; of several, the smallest, then the first by name.
    public func network(containing address: IPv4Address) -> Network? {
        networks.values.filter { $0.subnet.contains(address) }
            .min { (-$0.subnet.prefixLength, $0.name) < (-$1.subnet.prefixLength, $1.name) }
    }
}
