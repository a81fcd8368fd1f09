import BootModel
import NetworkTypes

/// Files of one machine a line.
extension HostReader {
    /// ethers(5): a hardware address, and a name or an address.
    mutating func readEthers(_ text: String) {
        for (number, line) in Self.lines(text) {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let first = words.first else { continue }
            guard let mac = Self.mac(first) else {
                report(number, "'\(first)' is not a hardware address such as 52:54:00:12:34:56")
                continue
            }
            guard words.count == 2 else {
                report(number, "write MAC NAME: there \(words.count == 1 ? "is no name" : "are further words")")
                continue
            }
            if let address = IPv4Address(String(words[1])) {
                add(HostEntry(name: nil, macs: [mac], address: address, line: number))
            } else if let name = name(words[1], number) {
                add(HostEntry(name: name, macs: [mac], address: nil, line: number))
            }
        }
    }

    /// dnsmasq's `dhcp-host` lines; all others are not about machines.
    mutating func readDnsmasq(_ text: String) {
        for (number, line) in Self.lines(text) {
            let bare = line.drop(while: \.isWhitespace)
            guard bare.hasPrefix("dhcp-host") else { continue }
            let rest = bare.dropFirst("dhcp-host".count).drop(while: \.isWhitespace)
            guard rest.first == "=" else { continue }
            readDnsmasqHost(rest.dropFirst(), number)
        }
    }

    private mutating func readDnsmasqHost(_ text: Substring, _ line: Int) {
        var entry = HostEntry(name: nil, macs: [], address: nil, line: line)
        var isIgnored = false
        let fields = Self.withoutComment(text).split(separator: ",").map { Self.trimmed($0) }
        for (index, field) in fields.enumerated() where !field.isEmpty {
            if field.hasPrefix("set:") || field.hasPrefix("tag:") || field.hasPrefix("id:") || field.hasPrefix("[")
                || field.hasPrefix("net:")
            {
                continue
            } else if field == "ignore" {
                isIgnored = true
            } else if let mac = Self.mac(field) {
                entry.macs.append(mac)
            } else if let address = IPv4Address(field) {
                entry.address = address
            } else if field.contains("*") {
                return report(line, "'\(field)' stands for many machines: name each by its own hardware address")
            } else if index > 0, Self.isLeaseTime(field) {
                continue
            } else {
                guard let name = name(field, line) else { return }
                entry.name = name
            }
        }
        if isIgnored { return }
        guard !entry.macs.isEmpty else {
            return report(line, "this dhcp-host names no hardware address, which a node needs")
        }
        add(entry)
    }

    private static func isLeaseTime(_ field: String) -> Bool {
        if field == "infinite" || field == "deprecated" { return true }
        guard let last = field.last else { return false }
        let digits = "smhdw".contains(last) ? field.dropLast() : field[...]
        return !digits.isEmpty && digits.allSatisfy(\.isNumber)
    }

    /// A comment begins at a `#` at the start or after a blank.
    private static func withoutComment(_ text: Substring) -> Substring {
        var previous: Character = " "
        for index in text.indices {
            if text[index] == "#", previous.isWhitespace { return text[..<index] }
            previous = text[index]
        }
        return text
    }

    static func trimmed(_ text: Substring) -> String {
        String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    /// dnsmasq and ethers leave leading zeros away: `0:1:2:a:b:c`; dnsmasq may put a hardware type before: `1-…`.
    static func mac(_ text: some StringProtocol) -> MACAddress? {
        var text = String(text)
        if text.hasPrefix("1-"), text.contains(":") { text.removeFirst(2) }
        let parts = text.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "-" }
        guard parts.count == 6 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...2).contains(part.count), part.allSatisfy(\.isHexDigit), let byte = UInt8(part, radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return MACAddress(bytes: bytes)
    }

    static func lines(_ text: String) -> [(Int, Substring)] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated().map { ($0 + 1, $1) }
    }
}
