import Foundation
import VirtualLab

/// The program under test as a server in a lab: it can be frozen, killed and started again on the same state.
final class DisklessServer {
    /// Its state directory.
    let state: String
    /// Its current process.
    private(set) var process: LabProcess

    private let lab: Lab
    private let program: String
    private let arguments: [String]
    private var starts = 1

    init(lab: Lab, label: String, images: [TestImage], dhcp: String, configuration: String = "") throws {
        guard let program = Repository.program else { throw LabError("diskless is not built: make build") }
        let state = Repository.path("build/e2e/state-\(label)")
        try? FileManager.default.removeItem(atPath: state)
        for image in images {
            let source = try image.directory()
            let target = "\(state)/images/\(image.name)/\(source.split(separator: "/").last ?? "1")"
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
            for file in try FileManager.default.contentsOfDirectory(atPath: source) {
                try FileManager.default.linkItem(atPath: "\(source)/\(file)", toPath: "\(target)/\(file)")
            }
        }
        lab.atClose { try? FileManager.default.removeItem(atPath: state) }
        (self.lab, self.program, self.state) = (lab, program, state)
        try configuration.write(toFile: "\(state)/diskless.yaml", atomically: false, encoding: .utf8)
        arguments = [
            program, "serve", "--state", state, "--interface", lab.server.interface, "--dhcp", dhcp, "--config",
            "\(state)/diskless.yaml",
        ]
        // With DISKLESS_OLDER_PROGRAM the first start runs that one, and the next is an upgrade.
        let older = ProcessInfo.processInfo.environment["DISKLESS_OLDER_PROGRAM"]
        let first = [older ?? program] + arguments.dropFirst()
        process = try lab.server.start(first, log: "\(lab.directory)/server-1.log")
        try process.waitForSocket("\(state)/admin.sock", limit: .seconds(20))
    }

    /// `kill -9`.
    func kill() {
        process.signal(SIGKILL)
        process.waitForExit(limit: .seconds(10))
    }

    /// Lets it end in order, as systemd does for a stop or an upgrade; throws when it takes longer or fails.
    func stop() throws {
        process.signal(SIGTERM)
        // A third of what systemd waits for a unit.
        let code = process.waitForExit(limit: .seconds(30))
        guard code == 0 else {
            throw LabError("the server did not end in order: \(code.map { "\($0)" } ?? "it runs on")")
        }
    }

    /// Starts it again on the same state.
    func start() throws {
        starts += 1
        process = try lab.server.start(arguments, log: "\(lab.directory)/server-\(starts).log")
        try process.waitForSocket("\(state)/admin.sock", limit: .seconds(20))
    }

    /// Publishes a further version of a squashfs image, made of the newest one's files and `/version-two`.
    func addVersion(of image: TestImage) throws {
        try publish(image) { old, new in
            """
            ln \(old)/initramfs \(new)/
            cp \(old)/root.squashfs \(new)/root.squashfs
            chmod 644 \(new)/root.squashfs
            echo 2 >\(new)/version-two
            mksquashfs \(new)/version-two \(new)/root.squashfs -quiet -no-progress >/dev/null
            rm \(new)/version-two
            """
        }
    }

    /// Publishes a further version; `script` makes its root and its initramfs in the second folder from the first.
    func publish(_ image: TestImage, _ script: (_ old: String, _ new: String) -> String) throws {
        let folder = "\(state)/images/\(image.name)"
        let numbers = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { Int($0) }
        guard let last = numbers.max() else { throw LabError("there is no image \(image.name)") }
        let (old, new) = ("\(folder)/\(last)", "\(folder)/.making")
        let whole = """
            mkdir \(new)
            ln \(old)/kernel \(old)/packages.txt \(new)/
            \(script(old, new))
            cp \(old)/manifest.json \(new)/manifest.json
            for file in root.squashfs initramfs; do
                was=$(stat -c %s \(old)/$file) is=$(stat -c %s \(new)/$file)
                before=$(sha256sum <\(old)/$file | cut -c1-64) after=$(sha256sum <\(new)/$file | cut -c1-64)
                sed -i -e "s/$before/$after/" -e "s/ $was$/ $is/" \(new)/manifest.json
            done
            sed -i -e 's/"number" : \(last)/"number" : \(last + 1)/' -e 's/"created" : "..../"created" : "2099/' \(new)/manifest.json
            mv \(new) \(folder)/\(last + 1)
            """
        try lab.server.run(["sh", "-ec", whole], limit: .seconds(240))
    }

    /// Applies a fleet file.
    func apply(_ fleet: String) throws {
        let file = "\(state)/fleet.yaml"
        try fleet.write(toFile: file, atomically: false, encoding: .utf8)
        try lab.server.run([program, "apply", file, "--state", state])
    }

    /// Starts telling what happens: lines of JSON.
    func watch() throws -> LabProcess { try lab.server.start([program, "watch", "--json", "--state", state]) }

    /// The boots of a node, the newest first.
    func boots(of node: String) throws -> [BootLine] {
        let text = try lab.server.run([program, "boots", node, "--json", "--state", state])
        return try JSONDecoder().decode([BootLine].self, from: Data(text.utf8))
    }

    /// The newest boot of a node.
    func boot(of node: String) throws -> BootLine {
        guard let boot = try boots(of: node).max(by: { $0.started < $1.started }) else {
            throw LabError("the server knows no boot of \(node)")
        }
        return boot
    }
}

/// What `diskless boots --json` says of one boot, as far as the tests ask.
struct BootLine: Decodable {
    struct Event: Decodable {
        var kind: String
        var text: String
        var offset: Double?
    }
    var id: String
    var node: String
    var started: String
    var state: String
    var upAfter: Double?
    var events: [Event]?

    /// The words of its events in order.
    var kinds: [String] { (events ?? []).map(\.kind) }

    /// Whether its events have these words in this order, others in between.
    func passed(_ words: String...) -> Bool {
        var rest = kinds[...]
        for word in words {
            // The initramfs says so beside what it does: on a busy machine its root may be connected before.
            if word == "initramfs-started", kinds.contains(word) { continue }
            guard let at = rest.firstIndex(of: word) else { return false }
            rest = rest[(at + 1)...]
        }
        return true
    }
}
