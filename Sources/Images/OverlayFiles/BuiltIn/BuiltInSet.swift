import BootModel
import Mustache

/// A set that the program brings; a directory of the same name takes its place.
public struct BuiltInSet: Sendable {
    /// Its name.
    public let name: String
    /// What it is for, in one line.
    public let summary: String
    /// The sets that it consists of; then it has no files itself.
    public let parts: [String]
    /// Its templates and scripts by the path on the node.
    let templates: [Template]
    /// Files that are no text of ours: keys.
    let made: @Sendable (OverlayBoot) -> [OverlayFile]

    /// A file of the set as it lies in the program.
    public struct Template: Sendable {
        /// The path on the node.
        public var path: String
        /// The template, with the names of docs/guides/overlay-files.md.
        public var text: String
        /// The lower twelve bits of the file's mode.
        public var permissions: UInt32
    }

    init(
        _ name: String,
        _ summary: String,
        parts: [String] = [],
        templates: [Template] = [],
        made: @escaping @Sendable (OverlayBoot) -> [OverlayFile] = { _ in [] }
    ) {
        self.name = name
        self.summary = summary
        self.parts = parts
        self.templates = templates
        self.made = made
    }

    /// Its own files as they lie in the program, for those who want to write another set.
    public var sources: [Template] { templates }

    /// Every built-in set, by name.
    public static let all: [String: BuiltInSet] = {
        let sets = [
            base, hostname, machineID, network, resolv, time, fstab, volatile, hostKeys, reportUp, autologin, ldap,
        ]
        return Dictionary(uniqueKeysWithValues: sets.map { ($0.name, $0) })
    }()

    /// What every node gets unless its settings say otherwise.
    static let base = BuiltInSet(
        "base",
        "what every node gets unless its settings name other sets",
        parts: [
            "hostname", "machine-id", "network", "resolv", "time", "fstab", "volatile", "ssh-host-keys", "report-up",
            "autologin",
        ]
    )

    func files(_ boot: OverlayBoot, _ context: MustacheValue) throws(OverlayProblem) -> [OverlayFile] {
        var files: [OverlayFile] = []
        for template in templates {
            let label = "set \(name) (built in)"
            let bytes: [UInt8]
            do throws(MustacheProblem) {
                let source = Array(template.text.utf8)
                bytes = try MustacheTemplate(source, file: "\(label), \(template.path)").render(context)
            } catch {
                throw OverlayProblem(error.description)
            }
            // A template with nothing to say for this node makes no file.
            guard bytes.contains(where: { $0 > 0x20 }) else { continue }
            var file = OverlayFile(path: template.path, kind: .file(bytes), permissions: template.permissions)
            file.isSecret = template.permissions & 0o007 == 0
            files.append(file)
        }
        files += made(boot)
        for index in files.indices { files[index].source = "set \(name) (built in)" }
        return files
    }

    /// A template for a file.
    static func template(_ path: String, permissions: UInt32 = 0o644, _ text: String) -> Template {
        Template(path: path, text: text, permissions: permissions)
    }

    /// A script that the node runs in its new root before its init (docs/protocols/node.md).
    static func script(_ name: String, _ text: String) -> Template {
        template("run/diskless/prepare.d/\(name)", text)
    }
}
