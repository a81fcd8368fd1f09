import Foundation
import Testing
import VirtualLab

/// Running nodes take orders and new people without a reboot; part of the test of two nodes, whose boots it shares.
struct AgentChecks {
    let lab: EndToEndLab
    let anna: Node
    let ben: Node

    // MARK: Programs beside the nodes

    /// Runs `diskless WORDS`: its output, then what it said beside, then its exit code.
    private func diskless(_ words: String...) throws -> String {
        let program = try #require(Repository.program)
        return try shell([program] + words + ["--state", lab.server.state], "\"$@\"")
    }

    private func exec(_ nodes: [String], _ command: [String]) throws -> String { try exec([], nodes, command) }

    private func exec(_ options: [String], _ nodes: [String], _ command: [String]) throws -> String {
        let program = try #require(Repository.program)
        return try shell(
            [program, "node", "exec", "--state", lab.server.state] + options + nodes + ["--"] + command,
            "\"$@\""
        )
    }

    private func shell(_ arguments: [String], _ script: String) throws -> String {
        let said = "\(lab.lab.directory)/said"
        let whole = "exec 2>\(said) </dev/null; \(script); c=$?; cat \(said); echo \"code $c\""
        return try lab.lab.server.run(["sh", "-c", whole, "sh"] + arguments, limit: .seconds(180))
            .trimmingCharacters(in: .newlines)
    }

    /// Tries until the output has what is wanted; the last output when it never has.
    private func until(_ limit: Duration, _ wanted: String, _ attempt: () throws -> String) throws -> String {
        let end = ContinuousClock.now + limit
        var last = ""
        repeat {
            last = try attempt()
            if last.contains(wanted) { return last }
            usleep(300_000)
        } while ContinuousClock.now < end
        return last
    }

    private func ssh(_ user: String, _ address: String, _ command: String, _ options: String = "") throws -> String {
        try shell(
            [],
            "ssh -i \(lab.lab.directory)/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
                + " -o BatchMode=yes -o LogLevel=ERROR -o ConnectTimeout=10 \(options) \(user)@\(address) '\(command)'"
        )
    }

    // MARK: The steps, in their order

    /// Nobody is there yet: one line, at once.
    func beforeTheyAreThere() throws {
        let early = try exec(["anna"], ["true"])
        #expect(early.hasPrefix("anna: no agent of it was heard") && early.hasSuffix("code 1"), "\(early)")
        let unknown = try exec(["ana"], ["true"])
        #expect(
            unknown.contains("there is no node ana; did you mean anna?") && unknown.hasSuffix("code 1"),
            "\(unknown)"
        )
    }

    func whileTheyRun(home: String) throws {
        for node in ["anna", "ben"] {
            #expect(try until(.seconds(60), "code 0") { try exec([node], ["true"]) } == "code 0")
        }
        try orders()
        try people(home: home)
        try conditions()
        try hostKeys()
        try screen()
    }

    /// A reboot by order; the token of before is worth nothing afterwards.
    func startAgain(login: () throws -> Void) throws {
        let token = try anna.run("cat /run/diskless/token")
        #expect(try status("anna", token) == "200")
        #expect(try diskless("node", "reboot", "anna") == "anna: starts again\ncode 0")
        try anna.machine.waitUntilOff(limit: .seconds(120))
        try anna.machine.powerOn()
        try login()
        #expect(try status("anna", token) == "403")
    }

    func afterwards(home: String) throws {
        #expect(try until(.seconds(60), "code 0") { try exec(["anna"], ["id", "eva"]) }.contains("uid=1001(eva)"))
        // Who is removed is gone from running nodes; what was theirs stays on the server.
        #expect(try until(.seconds(60), "code 0") { try ssh("eva", "10.77.0.72", "true") } == "code 0")
        #expect(try diskless("user", "rm", "eva").hasSuffix("code 0"))
        let removed = ContinuousClock.now
        for address in ["10.77.0.71", "10.77.0.72"] {
            #expect(
                try until(.seconds(60), "Permission denied") { try ssh("eva", address, "true") }
                    .contains("Permission denied")
            )
        }
        print("a removed user was locked out after \(ContinuousClock.now - removed)")
        let gone = try exec(["anna", "ben"], ["getent passwd eva || echo none; ls -d /home/eva"])
        #expect(gone.contains("anna  none\nanna  /home/eva\n") && gone.contains("ben   none\n"), "\(gone)")
        #expect(try String(contentsOfFile: home + "/eva/greeting", encoding: .utf8) == "hello\n")
        #expect(try !diskless("user", "list").contains("eva"))
        #expect(try diskless("node", "poweroff", "ben") == "ben: switches off\ncode 0")
        try ben.machine.waitUntilOff(limit: .seconds(120))
    }

    /// The same where init is not systemd: the agent runs, brings people, and switches the machine off.
    func onAnotherInit() throws {
        #expect(try until(.seconds(90), "code 0") { try exec(["otto"], ["hostname"]) } == "otto\ncode 0")
        #expect(try diskless("user", "add", "eva", "uid=1001").hasSuffix("code 0"))
        #expect(
            try until(.seconds(60), "uid=1001(eva)") { try exec(["otto"], ["id", "eva"]) }.contains("uid=1001(eva)")
        )
        try screen()
        #expect(try diskless("node", "poweroff", "otto") == "otto: switches off\ncode 0")
        try anna.machine.waitUntilOff(limit: .seconds(120))
    }

    // MARK: Orders

    private func orders() throws {
        #expect(try exec(["anna"], ["echo out; echo err >&2; exit 3"]) == "out\nerr\nanna: exit status 3\ncode 1")
        // Several words are a program and its arguments, whatever stands in them.
        #expect(try exec(["anna"], ["printf", "%s|", "a b", "it's $HOME"]) == "a b|it's $HOME|code 0")
        let long = try exec(["--output-limit", "1000"], ["anna"], ["yes | head -c 3000000"])
        #expect(long.filter { $0 == "y" }.count == 500, "\(long.count)")
        #expect(long.contains("there was more output"))
        #expect(try exec(["--timeout", "1"], ["anna"], ["sleep 100"]).contains("ended after 1 s"))
        // A daemon that is left behind holds nobody up.
        #expect(try exec(["anna"], ["sleep 100 & echo begun"]) == "begun\ncode 0")
        // More than a node carries out at a time.
        let program = try #require(Repository.program)
        let many = try lab.lab.server.run(
            [
                "sh", "-c",
                "for i in $(seq 24); do \(program) node exec --state \(lab.server.state) anna -- 'sleep 4; echo done' 2>&1 & done; wait",
            ],
            limit: .seconds(180)
        )
        let lines = many.split(separator: "\n")
        #expect(lines.count { $0 == "done" } == 16, "\(many)")
        #expect(lines.count { $0.contains("16 commands wait or run there already") } == 8, "\(many)")
        let both = try exec(["anna", "ben"], ["hostname"])
        #expect(both.contains("anna  anna\n") && both.contains("ben   ben\n") && both.hasSuffix("code 0"), "\(both)")
    }

    private func status(_ node: String, _ token: String) throws -> String {
        try lab.lab.server.run([
            "curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--header",
            "Authorization: Bearer \(token)", "http://10.77.0.1:8067/node/\(node)/users",
        ])
    }

    // MARK: People

    /// Who is added while the nodes run logs in within a minute, finds the same home on both, and is gone when removed.
    private func people(home: String) throws {
        let key = "\(lab.lab.directory)/key"
        for file in [key, key + ".pub"] { try? FileManager.default.removeItem(atPath: file) }
        try lab.lab.server.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
        let line = try String(contentsOfFile: key + ".pub", encoding: .utf8).split(separator: "\n")[0]
        let hash = "$6$abcdefgh$" + String(repeating: "x", count: 86)
        let added = try diskless(
            "user",
            "add",
            "eva",
            "uid=1001",
            "groups=[pupils]",
            "ssh-keys=[\"\(line)\"]",
            "password=\(hash)"
        )
        #expect(added.hasSuffix("code 0"), "\(added)")
        let begin = ContinuousClock.now
        let login = try until(.seconds(60), "code 0") { try ssh("eva", "10.77.0.71", "id; pwd; echo hello >greeting") }
        print("a new user logged in after \(ContinuousClock.now - begin)")
        #expect(login.contains("uid=1001(eva) gid=1001(eva) groups=1001(eva),61000(pupils)"), "\(login)")
        #expect(login.contains("\n/home/eva\n"), "\(login)")
        let there = try until(.seconds(60), "code 0") { try ssh("eva", "10.77.0.72", "cat greeting; ls -d .profile") }
        #expect(there == "hello\n.profile\ncode 0")
        let made = try FileManager.default.attributesOfItem(atPath: home + "/eva")
        #expect(made[.ownerAccountID] as? Int == 1001 && made[.posixPermissions] as? Int == 0o700)
        // The image's own accounts are all there.
        #expect(try exec(["anna"], ["getent passwd root daemon sshd | wc -l"]) == "3\ncode 0")
        try secrets(hash)

        // A password that is changed on the node outlives other changes of the fleet.
        try anna.run("echo 'eva:her-own-Password' | chpasswd")
        let own = try anna.run("grep ^eva: /etc/shadow")
        #expect(try diskless("user", "set", "eva", "full-name=Eva Green").hasSuffix("code 0"))
        let named = try until(.seconds(60), "Eva Green") { try exec(["anna"], ["getent passwd eva"]) }
        #expect(named.contains(":Eva Green:"), "\(named)")
        #expect(try !own.contains(hash) && anna.run("grep ^eva: /etc/shadow") == own)

        // Locked out of these nodes by a profile that they do not have; then back; on the node without writes too.
        #expect(try diskless("profile", "add", "office").hasSuffix("code 0"))
        #expect(try diskless("user", "set", "eva", "profiles=[office]").hasSuffix("code 0"))
        let locked = ContinuousClock.now
        for address in ["10.77.0.71", "10.77.0.72"] {
            #expect(
                try until(.seconds(60), "Permission denied") { try ssh("eva", address, "true") }
                    .contains("Permission denied")
            )
        }
        print("a user was locked out after \(ContinuousClock.now - locked)")
        #expect(try exec(["anna", "ben"], ["getent passwd eva || echo none"]).contains("ben   none\n"))
        #expect(try diskless("user", "set", "eva", "profiles=[]").hasSuffix("code 0"))
        #expect(try until(.seconds(60), "code 0") { try ssh("eva", "10.77.0.72", "true") } == "code 0")
    }

    /// No hash and no token in what people or programs read, and neither for other nodes, machines or people.
    private func secrets(_ hash: String) throws {
        let token = try anna.run("cat /run/diskless/token")
        #expect(token.count == 64)
        #expect(try status("anna", token) == "200")
        #expect(try status("ben", token) == "403")
        #expect(try status("anna", "") == "403")
        #expect(try status("anna", token + "0") == "403")
        #expect(try anna.run("grep -c '\(hash.prefix(20))' /etc/shadow") == "1")
        #expect(try anna.run("stat -c %a /run/diskless/token /run/diskless/users") == "600\n600")
        // In brackets, so that the search does not find itself.
        let hidden = "[\(token.prefix(1))]\(token.dropFirst().prefix(31))"
        let look = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c '\(hidden)' || true"
        #expect(try anna.run(look) == "0")
        let shown = try [
            diskless("node", "show", "anna", "--json"), diskless("node", "list", "--json"),
            diskless("boots", "anna", "--json"), diskless("boots", "anna"), diskless("user", "list", "--json"),
            diskless("user", "show", "eva"), diskless("export"), diskless("files", "render", "anna", "--json"),
            diskless("files", "render", "anna", "/run/diskless/users"), diskless("status", "--json"),
            lab.server.process.output.text(),
        ]
        #expect(shown.allSatisfy { !$0.contains(hash.suffix(40)) && !$0.contains(token) })
        // A file of the state directory is root's alone, and even there the token is not.
        let found = try lab.lab.server.run([
            "sh", "-c", "grep -rlF \(token) \(lab.server.state) --include='*.sqlite*' --include='*.json' || echo none",
        ])
        #expect(found == "none\n" || found == "none")
    }

    // MARK: What is told

    private func conditions() throws {
        let shown = try diskless("node", "show", "anna")
        for word in ["seen", "runs", "load", "root used", "memory used", "kernel"] {
            #expect(shown.contains("\n\(word)\t"), "\(word) in \(shown)")
        }
        #expect(shown.contains("next boot") && shown.contains("e2e@"))
        let list = try diskless("node", "list").split(separator: "\n").filter { $0.contains("\t") }
        #expect(list.count == 2 && list.allSatisfy { $0.contains("\te2e@") && $0.hasSuffix(" %") }, "\(list)")
        #expect(try diskless("node", "set", "ben", "users=[show, eva]").contains("(applies now)"))
        #expect(try diskless("node", "set", "ben", "kernel-arguments=[quiet]", "--dry-run").contains("(next boot)"))
        #expect(try diskless("node", "set", "ben", "--unset", "users").contains("(applies now)"))
        let refused = try diskless("node", "set", "ben", "users=[eva]")
        #expect(refused.contains("user show may not log in there") && refused.hasSuffix("code 1"), "\(refused)")
    }

    /// The keys that the node's ssh server shows are those that DNS tells of.
    private func hostKeys() throws {
        let asked = try lab.lab.server.run(["dig", "+short", "@10.77.0.1", "anna.lab.example", "SSHFP"])
        func words(_ line: Substring) -> [String] {
            // dig breaks a long digest by a blank.
            let parts = line.split(separator: " ").map(String.init)
            return Array(parts.prefix(2)) + [parts.dropFirst(2).joined().lowercased()]
        }
        let answers = Set(asked.split(separator: "\n").map(words))
        let records = try diskless("node", "keys", "anna", "--sshfp").split(separator: "\n").filter {
            $0.contains("SSHFP")
        }
        let printed = records.compactMap { $0.split(separator: "SSHFP ").last.map(words) }
        #expect(answers.count >= 2 && answers == Set(printed), "\(asked) \(records)")
        let verified = try ben.run(
            "ssh -v -o VerifyHostKeyDNS=yes -o BatchMode=yes -o StrictHostKeyChecking=yes anna.lab.example true 2>&1 || true"
        )
        #expect(verified.contains("matching host key fingerprint found in DNS"), "\(verified)")
    }

    /// Who is named in `autologin` sits before the screen.
    private func screen() throws {
        let look = "fold -w 80 /dev/vcs1 | grep -a . || true"
        let text = try until(.seconds(60), "show@\(ben.name)") { try ben.run(look) }
        #expect(text.contains("show@\(ben.name):~$"), "\(text)")
        #expect(try ben.run("stat -c %U /dev/tty1") == "show")
    }
}
