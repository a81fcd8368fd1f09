public import NetworkTypes

/// The desired state as one value: networks, profiles, nodes, users and image tags, with the look-ups that every request needs.
///
/// A value may hold contradictions; `problems` lists them, and a registry refuses to keep a fleet that has any.
public struct Fleet: Sendable, Equatable {
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
    public mutating func set(_ network: Network) { networks[network.name] = network }
    /// Adds a profile, or replaces the one of its name.
    public mutating func set(_ profile: Profile) {
        profiles[profile.name] = profile
        if profile.selectors.isEmpty { selecting.remove(profile.name) } else { selecting.insert(profile.name) }
    }
    /// Adds a user, or replaces the one of that name.
    public mutating func set(_ user: User) { users[user.name] = user }
    /// Adds a tag, or moves the one of its name.
    public mutating func set(_ tag: ImageTag) { tags[tag.name] = tag }
    /// Adds a node, or replaces the one of its name.
    public mutating func set(_ node: Node) {
        remove(node.name)
        nodes[node.name] = node
        for mac in node.macs where namesByMAC[mac] == nil { namesByMAC[mac] = node.name }
        if let uuid = node.uuid, namesByUUID[uuid] == nil { namesByUUID[uuid] = node.name }
        for identity in node.identities where namesByIdentity[identity] == nil { namesByIdentity[identity] = node.name }
        if let address = node.address, namesByAddress[address] == nil { namesByAddress[address] = node.name }
    }

    /// Removes the network of this name, if there is one.
    public mutating func remove(_ name: NetworkName) { networks[name] = nil }
    /// Removes the profile of this name, if there is one.
    public mutating func remove(_ name: ProfileName) {
        profiles[name] = nil
        selecting.remove(name)
    }
    /// Removes the user of this name, if there is one.
    public mutating func remove(_ name: UserName) { users[name] = nil }
    /// Removes the tag of this name, if there is one.
    public mutating func remove(_ name: ImageTag.Name) { tags[name] = nil }
    /// Removes the node of this name, if there is one.
    public mutating func remove(_ name: NodeName) {
        guard let node = nodes.removeValue(forKey: name) else { return }
        for mac in node.macs where namesByMAC[mac] == name { namesByMAC[mac] = nil }
        if let uuid = node.uuid, namesByUUID[uuid] == name { namesByUUID[uuid] = nil }
        for identity in node.identities where namesByIdentity[identity] == name { namesByIdentity[identity] = nil }
        if let address = node.address, namesByAddress[address] == name { namesByAddress[address] = nil }
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
