import CLinux
import Testing

/// Wrong fleets, tables and templates over the command line: one clear line each, and nothing is half done.
@Suite(
    .enabled(if: TestNetwork.isPossible, "needs root and ip for network namespaces"),
    .boundedWait
) struct BadFleetTests {
    /// A file that is refused, and what is said of it, each line after the file's name.
    private struct Wrong {
        var name: String
        var text: String
        var lines: [String]
    }

    private static let networks = "networks:\n  - {name: lab, subnet: 10.9.0.0/24, dhcp: full"

    private static let wrong = [
        Wrong(
            name: "a name that is given twice",
            text: "nodes:\n  - {name: a, mac: 525400000001}\n  - {name: a, mac: 525400000002}\n",
            lines: ["3:12: node a is given twice, first in line 2; give each its own name"]
        ),
        Wrong(
            name: "a hardware address of two nodes",
            text: "nodes:\n  - {name: a, mac: 525400000001}\n  - {name: b, mac: 525400000001}\n",
            lines: ["3:20: node b: mac 52:54:00:00:00:01 belongs to node a already; remove it from one of them"]
        ),
        Wrong(
            name: "a hardware address of a node that is there",
            text: "nodes:\n  - {name: z, mac: 5254000000ff}\n",
            lines: ["2:20: node z: mac 52:54:00:00:00:ff belongs to node kept already; remove it from one of them"]
        ),
        Wrong(
            name: "an address of two nodes",
            text: "nodes:\n  - {name: a, mac: 525400000001, address: 10.77.0.9}\n"
                + "  - {name: b, mac: 525400000002, address: 10.77.0.9}\n",
            lines: ["3:43: node b: address 10.77.0.9 belongs to node a already; give another one"]
        ),
        Wrong(
            name: "an address outside every subnet",
            text: networks + "}\nnodes:\n  - {name: a, mac: 525400000001, address: 10.8.0.9}\n",
            lines: ["4:43: node a: address 10.8.0.9 lies in no network's subnet"]
        ),
        Wrong(
            name: "pools that overlap",
            text: networks + ", pools: [10.9.0.10-10.9.0.20, 10.9.0.20-10.9.0.30]}\n",
            lines: [
                "2:79: network lab: pools 10.9.0.10-10.9.0.20 and 10.9.0.20-10.9.0.30 overlap; join them"
            ]
        ),
        Wrong(
            name: "a pool outside the subnet",
            text: networks + ", pools: [10.9.1.10-10.9.1.20]}\n",
            lines: ["2:58: network lab: pool 10.9.1.10-10.9.1.20 does not lie inside 10.9.0.0/24"]
        ),
        Wrong(
            name: "subnets that overlap",
            text: networks + "}\n  - {name: other, subnet: 10.9.0.128/25}\n",
            lines: ["3:27: network other: subnet 10.9.0.128/25 overlaps 10.9.0.0/24 of network lab"]
        ),
        Wrong(
            name: "an unknown key",
            text: "nodes:\n  - name: a\n    mac: 525400000001\n    adress: 10.0.0.1\n",
            lines: ["4:5: unknown key \"adress\" of a node; did you mean \"address\"?"]
        ),
        Wrong(
            name: "profiles that inherit each other",
            text: "profiles:\n  - {name: a, inherits: [b]}\n  - {name: b, inherits: [a]}\n",
            lines: [
                "2:26: profile a: inherits itself (a -> b -> a); remove one of them",
                "3:26: profile b: inherits itself (b -> a -> b); remove one of them",
            ]
        ),
        Wrong(
            name: "a profile that is not there",
            text: "profiles: [{name: lab}]\nnodes:\n  - {name: a, mac: 525400000001, profiles: [lib]}\n",
            lines: ["3:45: node a: profile lib does not exist; did you mean lab?"]
        ),
    ]

    @Test func aWrongFileIsToldByPlaceAndChangesNothing() throws {
        let server = try ServerProcess()
        try server.start()
        let good = server.files.path("good.yaml")
        try MadeUpImage.write("nodes:\n  - {name: kept, mac: 5254000000ff}\n", good)
        #expect(try server.diskless("apply", good).status == 0)
        let before = try server.diskless("export").output
        let file = server.files.path("wrong.yaml")
        for wrong in Self.wrong {
            try MadeUpImage.write(wrong.text, file)
            // A dry run tells the same.
            for words in [["apply", file], ["apply", file, "--dry-run"]] {
                let result = try server.run([BuiltProgram.path] + words + ["--state", server.state])
                #expect(result.status == 1 && result.output.isEmpty, "\(wrong.name): \(result.output)")
                let lines = wrong.lines.map { "\(file):\($0)" } + ["nothing was applied"]
                #expect(result.errorLines.map(String.init) == lines, "\(wrong.name): \(result.errors)")
            }
        }
        #expect(try server.diskless("export").output == before)
    }

    @Test func aTemplateThatLoopsIsToldByFileAndLine() throws {
        let server = try ServerProcess()
        try server.publish("debian")
        try server.start()
        let set = "\(server.state)/files/loop"
        let template = "\(set)/etc/motd.mustache"
        for folder in [set, set + "/etc", set + "/.partials"] { #expect(mkdirs(folder)) }
        #expect(try server.diskless("node", "add", "nora", "--mac", TestNetwork.clientMAC).status == 0)
        #expect(try server.diskless("node", "set", "nora", "files=[loop]").status == 0)
        func refused(_ text: String, _ reason: String) throws {
            try MadeUpImage.write(text, template)
            let shown = try server.diskless("files", "render", "nora", "/etc/motd")
            #expect(shown.status == 1 && shown.errorLines.count == 1, "\(shown.output)\(shown.errors)")
            #expect(shown.errors.contains(reason), "\(shown.errors)")
            // The machine is told why too, and boots nothing rather than half of it.
            let script = try server.client(
                "curl",
                "-sS",
                "http://10.77.0.1:8067/boot/\(TestNetwork.clientMAC.replacing(":", with: "-"))/script.ipxe"
            )
            #expect(script.output.contains(reason) && !script.output.contains("kernel "), "\(script.output)")
        }
        try MadeUpImage.write("{{> b}}\n", "\(set)/.partials/a.mustache")
        try MadeUpImage.write("{{> a}}\n", "\(set)/.partials/b.mustache")
        try refused("x\n{{> a}}\n", "the partial \"a\" includes itself (a > b > a)")
        let deep = (0..<40).map { _ in "{{#hostname}}" }.joined() + (0..<40).map { _ in "{{/hostname}}" }.joined()
        try refused(deep, "sections are nested more than 32 deep")
        try refused("{{nobody}}\n", "nobody")
    }

    private func mkdirs(_ path: String) -> Bool {
        var status = unsafe mkdir(path, 0o755)
        if status != 0, clinux_errno() == EEXIST { status = 0 }
        return status == 0
    }

    @Test func exportAndApplyGoRoundExactly() throws {
        let server = try ServerProcess()
        try server.start()
        let file = server.files.path("fleet.yaml")
        try MadeUpImage.write(
            """
            networks:
              - {name: lab, subnet: 10.9.0.0/24, dhcp: full, pools: [10.9.0.10-10.9.0.20], domain: lab.example}
            profiles:
              - {name: desk, selectors: [{mac: "b8:27:eb"}], kernel-arguments: ["a=\\"b c\\"", "é:"]}
              - {name: loud, inherits: [desk], variables: {seat: "01", on: true, count: 7}}
            nodes:
              - {name: a, mac: [525400000001, 525400000002], address: 10.9.0.9, profiles: [loud]}
              - {name: b, mac: 525400000003, root: {via: nfs, writes: cow}, state: [/etc/ssh], menu: {timeout: 5}}
            users:
              - {name: anna, uid: 2001, groups: [audio]}
            tags:
              - {name: "debian:lab", version: 3}

            """,
            file
        )
        #expect(try server.diskless("apply", file).output.split(separator: "\n").count >= 7)
        let copy = server.files.path("copy.yaml")
        // The network of the server's own interface becomes one of the fleet.
        try MadeUpImage.write(try server.diskless("export").output, copy)
        #expect(try server.diskless("apply", copy, "--prune").output.hasPrefix("+ network wire0  "))
        let exported = try server.diskless("export").output
        try MadeUpImage.write(exported, copy)
        #expect(try server.diskless("apply", copy, "--prune", "--dry-run").output == "nothing to change\n")
        // Into a server that has nothing, and out again.
        let other = try ServerProcess()
        try other.start()
        #expect(try other.diskless("apply", copy).status == 0)
        #expect(try other.diskless("export").output == exported)
        // A dry run shows what --prune would take away, and takes nothing.
        try MadeUpImage.write("nodes:\n  - {name: a, mac: 525400000009}\n", copy)
        let shown = try other.diskless("apply", copy, "--prune", "--dry-run")
        #expect(shown.output.contains("- node b") && shown.output.contains("~ node a"), "\(shown.output)")
        #expect(try other.diskless("export").output == exported)
        let done = try other.diskless("apply", copy, "--prune")
        #expect(done.output.contains("- node b"))
        #expect(try other.diskless("node", "list").output.split(separator: "\n").count == 1)
        #expect(try other.diskless("profile", "list").output.contains("loud"), "a list the file does not have stays")
    }
}
