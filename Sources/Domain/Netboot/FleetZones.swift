public import BootModel
public import DNS
public import NetworkTypes

/// The zones that follow from the fleet and its leases: each network's `domain`, and the names of the addresses in its
/// subnet.
///
/// A name is a node's, with the address reserved for it or leased to it; else the server's own; else the one that a
/// machine without a name told with its lease. A machine cannot take the name of a node.
public struct FleetZones: Sendable {
    /// How long others may keep our records, in seconds: short, because an address may be given anew.
    public static let ttl: UInt32 = 60
    /// How long others may keep that there is no such name: a node that was just added should be found.
    public static let negativeTTL: UInt32 = 10
    /// Names that a machine cannot give itself: clients trust them to be the administrator's.
    private static let reservedNames: Set<String> = ["ns", "localhost", "wpad", "isatap", "hostmaster"]

    private struct Leased: Sendable {
        var name: DNSName
        var toldName: DNSName?
        var node: NodeName
        var lease: Lease
        func isLive(_ now: Timestamp) -> Bool { lease.state == .bound && now < lease.expires }
    }

    private let fleet: Fleet
    private let domains: [NetworkName: DNSName]
    private let serial: UInt32
    private let hostKeys: @Sendable (NodeName) -> [HostKeyFingerprint]
    /// Every domain, with the addresses of this server that its networks know it by.
    private var zones: [DNSName: [IPv4Address]] = [:]
    private var reserved: [DNSName: [IPv4Address]] = [:]
    private var owners: [DNSName: NodeName] = [:]
    private var pointers: [IPv4Address: DNSName] = [:]
    private var servers: [DNSName: [IPv4Address]] = [:]
    /// Names that have names below them and no records: `lab` when there is a node `a.lab`.
    private var branches: Set<DNSName> = []
    private var leases: [IPv4Address: Leased] = [:]
    private var leasedAddresses: [DNSName: [IPv4Address]] = [:]

    /// The zones of a fleet.
    ///
    /// `hostKeys` is asked when somebody asks for a node's; `serial` rises with each; `serverAddresses` tells the server's own address on a network, `serverName` is its own
    /// first label beside `ns`.
    public init(
        fleet: Fleet,
        leases: [Lease] = [],
        hostKeys: @escaping @Sendable (NodeName) -> [HostKeyFingerprint] = { _ in [] },
        serial: UInt32,
        serverName: String? = nil,
        serverAddresses: [NetworkName: IPv4Address] = [:]
    ) {
        self.fleet = fleet
        self.serial = serial
        self.hostKeys = hostKeys
        var domains: [NetworkName: DNSName] = [:]
        for network in fleet.networks.values {
            guard let domain = network.domain.flatMap({ DNSName($0) }), domain != .root else { continue }
            domains[network.name] = domain
            zones[domain, default: []] += serverAddresses[network.name].map { [$0] } ?? []
        }
        self.domains = domains
        for node in fleet.nodes.values {
            // A node's name is its own in every domain, whether it has an address now or not.
            for domain in zones.keys { if let name = Self.name(node.name, in: domain) { own(name, node.name) } }
            guard let address = node.address, let domain = domain(of: address),
                let name = Self.name(node.name, in: domain)
            else { continue }
            reserved[name, default: []].append(address)
            pointers[address] = name
        }
        for (domain, addresses) in zones {
            for label in ["ns", serverName ?? "ns"] {
                guard let name = DNSName(label)?.appending(domain), owners[name] == nil else { continue }
                servers[name] = addresses.sorted()
                if label != "ns" || serverName == nil { for address in addresses { pointers[address] = name } }
            }
        }
        for lease in leases.sorted(by: { $0.granted < $1.granted }) { set(lease) }
    }

    private mutating func own(_ name: DNSName, _ node: NodeName) {
        owners[name] = node
        var above = name.parent
        while let branch = above, zones[branch] == nil, branch != .root {
            branches.insert(branch)
            above = branch.parent
        }
    }

    private func domain(of address: IPv4Address) -> DNSName? {
        fleet.network(containing: address).flatMap { domains[$0.name] }
    }

    /// The full name of a node; one that already ends with the domain is that name.
    private static func name(_ node: NodeName, in domain: DNSName) -> DNSName? {
        guard let name = DNSName(node.text) else { return nil }
        return name.isWithin(domain) && name != domain ? name : name.appending(domain)
    }

    /// Takes in that an address was leased, or that its lease changed.
    public mutating func set(_ lease: Lease) {
        removeLease(of: lease.address)
        guard lease.state == .bound, let domain = domains[lease.network] else { return }
        let node = fleet.identify(mac: lease.mac)
        guard let name = Self.name(node.node.name, in: domain) else { return }
        var entry = Leased(name: name, node: node.node.name, lease: lease)
        if !node.isKnown, let told = toldName(lease, in: domain) { entry.toldName = told }
        leases[lease.address] = entry
        for name in [entry.name, entry.toldName].compactMap(\.self) {
            leasedAddresses[name, default: []].append(lease.address)
        }
    }

    /// Takes in that an address is free.
    public mutating func removeLease(of address: IPv4Address) {
        guard let old = leases.removeValue(forKey: address) else { return }
        for name in [old.name, old.toldName].compactMap(\.self) {
            leasedAddresses[name]?.removeAll { $0 == address }
            if leasedAddresses[name]?.isEmpty == true { leasedAddresses[name] = nil }
        }
    }

    /// The name that a machine told, when it may have it: nobody else's, and not one that others trust.
    private func toldName(_ lease: Lease, in domain: DNSName) -> DNSName? {
        guard let told = lease.hostname?.split(separator: ".").first, NodeName(String(told)) != nil,
            !Self.reservedNames.contains(told.lowercased()), !told.lowercased().hasPrefix("node-"),
            let name = DNSName(String(told))?.appending(domain), owners[name] == nil, servers[name] == nil
        else { return nil }
        let holders = (leasedAddresses[name] ?? []).compactMap { leases[$0] }
        return holders.contains { $0.lease.mac != lease.mac && $0.isLive(lease.granted) } ? nil : name
    }

    /// Whether a machine is of a network that we serve: only these may ask for names of others.
    public func serves(_ address: IPv4Address) -> Bool { fleet.network(containing: address) != nil }
}

extension FleetZones {
    /// The answer when the name is in one of the zones, also when there is no such name; nil when it is others'.
    public func answer(to question: DNSQuestion, now: Timestamp) -> AuthoritativeAnswer? {
        if let reverse = reverseAnswer(to: question, now: now) { return reverse }
        var above: DNSName? = question.name
        while let apex = above, apex != .root {
            if zones[apex] != nil { return answer(to: question, in: apex, now: now) }
            above = apex.parent
        }
        return nil
    }

    /// The answer to a name of one label: the node of that name in whichever domain; nil when there is none.
    public func shortAnswer(to question: DNSQuestion, now: Timestamp) -> AuthoritativeAnswer? {
        for domain in zones.keys.sorted(by: { $0.description < $1.description }) {
            guard let full = question.name.appending(domain) else { continue }
            let records = records(of: full, as: question.name, type: question.type, now: now)
            if !records.isEmpty { return AuthoritativeAnswer(answers: records) }
        }
        return nil
    }

    private func answer(to question: DNSQuestion, in apex: DNSName, now: Timestamp) -> AuthoritativeAnswer {
        let start = start(of: apex, server: apex)
        var records = records(of: question.name, as: question.name, type: question.type, now: now)
        if question.name == apex {
            if asks(question, .soa) { records.append(start) }
            if asks(question, .ns), let server = DNSName("ns")?.appending(apex) {
                records.append(DNSRecord(apex, ttl: Self.ttl, .nameServer(server)))
            }
        }
        guard records.isEmpty else { return AuthoritativeAnswer(answers: records) }
        let exists =
            question.name == apex || owners[question.name] != nil || servers[question.name] != nil
            || branches.contains(question.name) || !addresses(of: question.name, now: now).isEmpty
        return AuthoritativeAnswer(code: exists ? .noError : .noSuchName, authorities: [start])
    }

    private func asks(_ question: DNSQuestion, _ type: RecordType) -> Bool {
        question.type == type || question.type == .any
    }

    private func addresses(of name: DNSName, now: Timestamp) -> [IPv4Address] {
        let fixed = reserved[name] ?? servers[name] ?? []
        let leased = (leasedAddresses[name] ?? []).filter { leases[$0]?.isLive(now) == true && !fixed.contains($0) }
        return fixed + leased.sorted()
    }

    private func records(of name: DNSName, as owner: DNSName, type: RecordType, now: Timestamp) -> [DNSRecord] {
        var records: [DNSRecord] = []
        if type == .a || type == .any {
            records += addresses(of: name, now: now).map { DNSRecord(owner, ttl: Self.ttl, .address($0)) }
        }
        if type == .sshfp || type == .any, let node = owners[name] ?? leasedNode(name, now: now) {
            records += hostKeys(node).map { DNSRecord(owner, ttl: Self.ttl, .hostKey($0)) }
        }
        return records
    }

    private func leasedNode(_ name: DNSName, now: Timestamp) -> NodeName? {
        leasedAddresses[name]?.compactMap { leases[$0] }.first { $0.isLive(now) && $0.name == name }?.node
    }

    /// A zone's SOA record; `server` is the domain that its name server and mailbox are in.
    private func start(of apex: DNSName, server domain: DNSName) -> DNSRecord {
        let start = StartOfAuthority(
            server: DNSName("ns")?.appending(domain) ?? domain,
            mailbox: DNSName("hostmaster")?.appending(domain) ?? domain,
            serial: serial,
            refresh: 3600,
            retry: 600,
            expire: 86_400,
            negativeTTL: Self.negativeTTL
        )
        return DNSRecord(apex, ttl: Self.negativeTTL, .startOfAuthority(start))
    }

    /// The answer for a name below `in-addr.arpa` that is in a subnet of ours; nil for others.
    ///
    /// A zone begins at a whole octet that lies within the subnet, so that never more than the subnet is claimed:
    /// 10.0.0.0/23 is two zones, 10.0.0.0/25 a zone for each address.
    private func reverseAnswer(to question: DNSQuestion, now: Timestamp) -> AuthoritativeAnswer? {
        let labels = question.name.labels
        guard (3...6).contains(labels.count), question.name.isWithin(DNSName.reverseRoot) else { return nil }
        let octets = labels.dropLast(2).reversed().map { String(decoding: $0, as: UTF8.self) }
        let text = (octets + Array(repeating: "0", count: 4 - octets.count)).joined(separator: ".")
        guard let address = IPv4Address(text), let network = fleet.network(containing: address),
            let domain = domains[network.name]
        else { return nil }
        let apexOctets = (network.subnet.prefixLength + 7) / 8
        guard octets.count >= apexOctets, apexOctets > 0 else { return nil }
        var apex = question.name
        for _ in apexOctets..<octets.count { apex = apex.parent ?? apex }
        let start = start(of: apex, server: domain)
        var records: [DNSRecord] = []
        if octets.count == 4, asks(question, .ptr), let name = pointer(address, now: now) {
            records.append(DNSRecord(question.name, ttl: Self.ttl, .pointer(name)))
        }
        if question.name == apex {
            if asks(question, .soa) { records.append(start) }
            if asks(question, .ns), let server = DNSName("ns")?.appending(domain) {
                records.append(DNSRecord(apex, ttl: Self.ttl, .nameServer(server)))
            }
        }
        guard records.isEmpty else { return AuthoritativeAnswer(answers: records) }
        let exists = octets.count < 4 || question.name == apex || pointer(address, now: now) != nil
        return AuthoritativeAnswer(code: exists ? .noError : .noSuchName, authorities: [start])
    }

    private func pointer(_ address: IPv4Address, now: Timestamp) -> DNSName? {
        if let name = pointers[address] { return name }
        guard let leased = leases[address], leased.isLive(now) else { return nil }
        return leased.toldName ?? leased.name
    }
}
