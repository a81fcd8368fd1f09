public import BootModel
public import NetworkTypes

/// A machine that another program's file knows.
public struct HostEntry: Hashable, Sendable {
    /// Its name; nil when the file gives none.
    public var name: NodeName?
    /// Its hardware addresses.
    public var macs: [MACAddress]
    /// The address that the file reserves for it.
    public var address: IPv4Address?
    /// The line that it begins on, from 1.
    public var line: Int

    /// The name, else one made of its hardware address.
    public var nodeName: NodeName { name ?? NodeName(unknown: macs.first ?? MACAddress(value: 0)) }
}

/// Which program's file it is.
public enum HostFileFormat: String, Sendable, CaseIterable {
    /// ISC dhcpd's configuration: `host NAME { hardware ethernet MAC; }`.
    case dhcpd
    /// dnsmasq's: `dhcp-host=MAC,ADDRESS,NAME`.
    case dnsmasq
    /// ethers(5): `MAC NAME`.
    case ethers

    /// Guesses by what the text has.
    public init(of text: String) {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }
        if lines.contains(where: { $0.hasPrefix("dhcp-host=") || $0.hasPrefix("dhcp-range=") }) {
            self = .dnsmasq
        } else if text.contains("{") {
            self = .dhcpd
        } else {
            self = .ethers
        }
    }
}

/// What is wrong in a file, all of it.
public struct HostFileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One line that cannot be used.
    public struct Problem: Hashable, Sendable {
        /// The line, from 1.
        public var line: Int
        /// What is wrong and how to mend it.
        public var message: String
    }

    /// Every problem, in the order of the file.
    public var problems: [Problem]

    /// `LINE: MESSAGE`, one a line.
    public var description: String { lines(file: "line").joined(separator: "\n") }

    /// `FILE:LINE: MESSAGE`.
    public func lines(file: String) -> [String] { problems.map { "\(file):\($0.line): \($0.message)" } }
}

/// Reads the machines out of other programs' files.
public enum HostFile {
    /// The most bytes of a file.
    public static let limit = 16 << 20

    /// Every machine in `text`.
    ///
    /// Throws `HostFileError` with every line that cannot be used: nothing is left out silently.
    public static func read(_ text: String, as format: HostFileFormat) throws(HostFileError) -> [HostEntry] {
        var reader = HostReader()
        switch format {
        case .dhcpd: reader.readDHCPD(text)
        case .dnsmasq: reader.readDnsmasq(text)
        case .ethers: reader.readEthers(text)
        }
        return try reader.result()
    }
}

/// Gathers machines and problems.
struct HostReader {
    private var entries: [HostEntry] = []
    private var problems: [HostFileError.Problem] = []
    private var byName: [NodeName: Int] = [:]
    private var byMAC: [MACAddress: Int] = [:]
    private var byAddress: [IPv4Address: Int] = [:]

    mutating func report(_ line: Int, _ message: String) { problems.append(.init(line: line, message: message)) }

    func result() throws(HostFileError) -> [HostEntry] {
        guard problems.isEmpty else { throw HostFileError(problems: problems.sorted { $0.line < $1.line }) }
        return entries
    }

    /// A name as a file writes it; nil, and a problem, when it cannot be a node's.
    mutating func name(_ text: some StringProtocol, _ line: Int) -> NodeName? {
        do throws(InvalidName) { return try NodeName(validating: text) } catch {
            report(line, error.description)
            return nil
        }
    }

    /// Adds a machine; one of the same name and address is the same machine with a further card.
    mutating func add(_ entry: HostEntry) {
        for mac in entry.macs {
            if let first = byMAC[mac] {
                return report(entry.line, "hardware address \(mac) stands in line \(entries[first].line) already")
            }
        }
        if let name = entry.name, let first = byName[name] {
            let older = entries[first]
            guard entry.address == nil || older.address == nil || entry.address == older.address else {
                return report(entry.line, "host \(name) has another address in line \(older.line)")
            }
            for mac in entry.macs { byMAC[mac] = first }
            entries[first].macs += entry.macs
            entries[first].address = older.address ?? entry.address
            if let address = entry.address { byAddress[address] = first }
            return
        }
        if let address = entry.address, let first = byAddress[address] {
            return report(entry.line, "address \(address) stands in line \(entries[first].line) already")
        }
        for mac in entry.macs { byMAC[mac] = entries.count }
        if let name = entry.name { byName[name] = entries.count }
        if let address = entry.address { byAddress[address] = entries.count }
        entries.append(entry)
    }
}
