import BootModel
import Testing

@testable import FleetFile

/// A wrong fleet file and the lines that are printed for it.
struct WrongFile: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var lines: [String]

    init(_ testDescription: String, _ text: String, _ lines: String...) {
        self.testDescription = testDescription
        self.text = text
        self.lines = lines
    }
}

@Suite("Wrong fleet files")
struct FleetFileErrorTests {
    static let lab = "networks:\n  - {name: lab, subnet: 10.0.0.0/24}\n"

    static let wrong: [WrongFile] = [
        WrongFile("nothing", "", "the file is empty; it needs networks, profiles, nodes, users or tags"),
        WrongFile(
            "only a comment",
            "# later\n",
            "the file is empty; it needs networks, profiles, nodes, users or tags"
        ),
        WrongFile("a list", "- a", "1:1: a fleet file is keys and values, here stands a list"),
        WrongFile("a section that is no list", "nodes: many", "1:8: nodes is a list, here stands the text \"many\""),
        WrongFile(
            "two documents",
            "nodes: []\n---\nnodes: []\n",
            "2:1: not YAML: but found another document (expected a single document in the stream, line 1)"
        ),
        WrongFile(
            "not YAML",
            "nodes: [\n",
            "2:1: not YAML: did not find expected node content (while parsing a flow node, line 2)"
        ),
        WrongFile("an undefined alias", "nodes: *all\n", "1:8: not YAML: found undefined alias"),
        WrongFile(
            "a tab",
            "nodes:\n\t- name: a\n",
            "2:1: not YAML: found character that cannot start any token (while scanning for the next token, line 2)"
        ),
        WrongFile(
            "an unknown section",
            "node: []",
            "1:1: unknown key \"node\" of a fleet file; did you mean \"nodes\"?"
        ),
        WrongFile(
            "an unknown key",
            "nodes:\n  - name: a\n    adress: 10.0.0.1\n    mac: 525400000001",
            "3:5: unknown key \"adress\" of a node; did you mean \"address\"?"
        ),
        WrongFile(
            "a key like no other",
            "profiles: [{name: a, colour: red}]",
            "1:22: unknown key \"colour\" of a profile; known keys: name, inherits, selectors, image, root,"
                + " kernel-arguments, loader, menu, mounts, state, volatile, files, variables, swap, volume, options, users, autologin"
        ),
        WrongFile("a key twice", "nodes:\n  - name: a\n    name: b", "2:5: key \"name\" is given twice here; keep one"),
        WrongFile("no name", "nodes: [{mac: 525400000001}]", "1:9: a node needs a name"),
        WrongFile("no subnet", "networks: [{name: lab}]", "1:12: a network needs a subnet such as 10.0.0.0/24"),
        WrongFile(
            "a wrong name",
            "profiles: [{name: a b}]",
            "1:19: \"a b\" is not a profile name: use 1 to 63 letters, digits, dots or dashes, with a letter or digit at both ends"
        ),
        WrongFile(
            "host bits",
            "networks: [{name: lab, subnet: 10.0.0.1/24}]",
            "1:32: subnet \"10.0.0.1/24\" is a machine's address; the subnet is 10.0.0.0/24"
        ),
        WrongFile(
            "several mistakes at once",
            "networks:\n  - {name: lab, subnet: ten, dhcp: ful, pools: [10-20], lease: soon, router: 10.0.0.256}",
            "2:25: subnet \"ten\" is not a subnet such as 10.0.0.0/24",
            "2:36: dhcp \"ful\" is not one of full, proxy, off; did you mean \"full\"?",
            "2:49: pools \"10-20\" is not a range such as 10.0.0.128-10.0.0.254",
            "2:64: lease \"soon\" is not a time such as 90s, 30m, 12h or 7d",
            "2:78: router \"10.0.0.256\" is not an IPv4 address"
        ),
        WrongFile(
            "a wrong MAC in a list",
            "nodes: [{name: a, mac: [525400000001, 52:54:00]}]",
            "1:39: mac \"52:54:00\" is not a MAC address such as 52:54:00:12:34:56"
        ),
        WrongFile(
            "a mapping for a value",
            "nodes: [{name: {a: b}}]",
            "1:16: name is one value, here stands keys and values"
        ),
        WrongFile(
            "a name twice",
            "nodes:\n  - {name: a, mac: 525400000001}\n  - {name: a, mac: 525400000002}",
            "3:12: node a is given twice, first in line 2; give each its own name"
        ),
        WrongFile(
            "a MAC twice",
            "nodes:\n  - {name: a, mac: 525400000001}\n  - {name: b, mac: [525400000002, 525400000001]}",
            "3:35: node b: mac 52:54:00:00:00:01 belongs to node a already; remove it from one of them"
        ),
        WrongFile(
            "an address twice",
            "nodes:\n  - {name: a, mac: 525400000001, address: 10.0.0.7}\n  - {name: b, mac: 525400000002, address: 10.0.0.7}",
            "3:43: node b: address 10.0.0.7 belongs to node a already; give another one"
        ),
        WrongFile(
            "an address outside",
            lab + "nodes:\n  - {name: a, mac: 525400000001, address: 10.0.1.7}",
            "4:43: node a: address 10.0.1.7 lies in no network's subnet"
        ),
        WrongFile(
            "a pool outside",
            "networks:\n  - {name: lab, subnet: 10.0.0.0/24, pools: [10.0.0.9-10.0.0.19, 10.0.1.1-10.0.1.9]}",
            "2:66: network lab: pool 10.0.1.1-10.0.1.9 does not lie inside 10.0.0.0/24"
        ),
        WrongFile(
            "pools that overlap",
            "networks:\n  - {name: lab, subnet: 10.0.0.0/24, pools: [10.0.0.9-10.0.0.19, 10.0.0.19-10.0.0.29]}",
            "2:66: network lab: pools 10.0.0.9-10.0.0.19 and 10.0.0.19-10.0.0.29 overlap; join them"
        ),
        WrongFile(
            "subnets that overlap",
            lab + "  - {name: lab2, subnet: 10.0.0.0/16}",
            "3:26: network lab2: subnet 10.0.0.0/16 overlaps 10.0.0.0/24 of network lab"
        ),
        WrongFile(
            "an unknown profile",
            "nodes:\n  - name: a\n    mac: 525400000001\n    profiles: [desk]",
            "4:16: node a: profile desk does not exist"
        ),
        WrongFile(
            "a root that cannot work",
            "profiles:\n  - name: a\n    root: {via: ram, writes: cow}",
            "3:11: profile a: root {via: ram, writes: cow} cannot work: the image file itself stays read-only; use writes ram or keep, or via nbd or nfs"
        ),
    ]

    @Test("each mistake is one line with its place", arguments: wrong)
    func mistakes(_ file: WrongFile) {
        let error = #expect(throws: FleetFileError.self) {
            var fleet = Fleet()
            try FleetDocument(parsing: file.text).apply(to: &fleet, prune: false)
        }
        #expect(error?.description.split(separator: "\n").map(String.init) == file.lines)
    }

    @Test("nesting and aliases are bounded")
    func bounds() {
        for text in [
            "nodes: " + String(repeating: "[", count: 100_000), String(repeating: "- ", count: 100_000),
            String(repeating: "? ", count: 100_000), String(repeating: " ", count: 100_000) + "a: b",
            "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
                + (1..<12).map {
                    "a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 9).joined(separator: ","))]\n"
                }
                .joined(),
        ] {
            let error = #expect(throws: FleetFileError.self) { try FleetDocument(parsing: text) }
            #expect(error?.problems.count == 1)
        }
    }

    @Test("a problem outside the file is told without a place, and nothing is applied")
    func outside() throws {
        var fleet = Fleet()
        try FleetDocument(parsing: "nodes: [{name: b, mac: 525400000001}]").apply(to: &fleet, prune: false)
        let before = fleet
        let error = #expect(throws: FleetFileError.self) {
            try FleetDocument(parsing: "nodes: [{name: a, mac: 525400000001}]").apply(to: &fleet, prune: false)
        }
        #expect(
            error?.description == "node b: mac 52:54:00:00:00:01 belongs to node a already; remove it from one of them"
        )
        #expect(fleet == before)
    }
}
