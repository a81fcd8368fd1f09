import BootModel
import NetworkTypes

/// ISC dhcpd's configuration: statements that end in `;`, and blocks in braces.
extension HostReader {
    /// A word, a quoted text, or one of `{ } ;`.
    private struct Token {
        var text: String
        var line: Int
        var isMark: Bool
    }

    /// Every `host` block, however deep it lies in subnets and groups.
    mutating func readDHCPD(_ text: String) {
        let tokens = tokens(of: text)
        var depth = 0
        var statement: [Token] = []
        var host: (entry: HostEntry, depth: Int, isUsable: Bool)?
        for token in tokens {
            guard token.isMark else {
                statement.append(token)
                continue
            }
            switch token.text {
            case "{":
                depth += 1
                if host == nil, statement.first?.text == "host" {
                    let name = statement.count > 1 ? name(statement[1].text, statement[1].line) : nil
                    if statement.count != 2 { report(statement[0].line, "write host NAME { … }") }
                    host = (HostEntry(name: name, macs: [], address: nil, line: statement[0].line), depth, name != nil)
                }
            case "}":
                if let open = host, open.depth == depth {
                    finish(open.entry, isUsable: open.isUsable)
                    host = nil
                }
                depth -= 1
                if depth < 0 {
                    report(token.line, "this '}' closes nothing")
                    depth = 0
                }
            default:
                if var open = host, open.depth == depth {
                    open.isUsable = take(statement, into: &open.entry) && open.isUsable
                    host = open
                }
            }
            statement = []
        }
        if depth > 0 { report(tokens.last?.line ?? 1, "a '}' is missing at the end") }
    }

    private mutating func finish(_ entry: HostEntry, isUsable: Bool) {
        guard isUsable else { return }
        guard !entry.macs.isEmpty else {
            return report(entry.line, "host \(entry.nodeName) has no 'hardware ethernet', which a node needs")
        }
        add(entry)
    }

    /// One statement of a host; false when it cannot be used.
    private mutating func take(_ statement: [Token], into entry: inout HostEntry) -> Bool {
        guard let first = statement.first else { return true }
        switch first.text {
        case "hardware" where statement.count == 3 && statement[1].text == "ethernet":
            guard let mac = Self.mac(statement[2].text) else {
                report(first.line, "'\(statement[2].text)' is not a hardware address such as 52:54:00:12:34:56")
                return false
            }
            entry.macs.append(mac)
        case "hardware":
            report(first.line, "write hardware ethernet MAC; other kinds of hardware do not boot from here")
            return false
        case "fixed-address":
            let addresses = statement.dropFirst().flatMap { $0.text.split(separator: ",") }
            guard addresses.count == 1, let address = IPv4Address(String(addresses[0])) else {
                let found = addresses.joined(separator: ", ")
                report(first.line, "fixed-address \(found): a node has one address, written as 10.0.0.71")
                return false
            }
            entry.address = address
        default: break
        }
        return true
    }

    private mutating func tokens(of text: String) -> [Token] {
        var tokens: [Token] = []
        for (number, line) in Self.lines(text) {
            var word = ""
            var isQuoted = false
            func end(_ tokens: inout [Token]) {
                if !word.isEmpty { tokens.append(Token(text: word, line: number, isMark: false)) }
                word = ""
            }
            for character in line {
                if isQuoted {
                    if character == "\"" { isQuoted = false } else { word.append(character) }
                } else if character == "#" {
                    break
                } else if character == "\"" {
                    isQuoted = true
                } else if character.isWhitespace {
                    end(&tokens)
                } else if "{};".contains(character) {
                    end(&tokens)
                    tokens.append(Token(text: String(character), line: number, isMark: true))
                } else {
                    word.append(character)
                }
            }
            if isQuoted { report(number, "a quotation mark is missing at the end of this line") }
            end(&tokens)
        }
        return tokens
    }
}
