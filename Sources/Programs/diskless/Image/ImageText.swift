import ArgumentParser
import BootModel
import FileSystems
import FoundationEssentials
import ImageStore

/// Images as text for people and programs.
enum ImageText {
    /// An image reference on the command line.
    static func reference(_ text: String) throws -> ImageReference {
        guard let reference = ImageReference(text) else {
            throw ValidationError("\"\(text)\" is not an image: write debian, debian@7 or debian:tag")
        }
        return reference
    }

    /// JSON with sorted keys.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// One line for each version, under a line of headings.
    static func table(_ manifests: [ImageManifest]) -> String {
        var rows = [["IMAGE", "CREATED", "ARCH", "KERNEL", "ROOT", "SIZE"]]
        rows += manifests.map { manifest in
            let version = manifest.version
            return [
                version.id.description, date(version.created), version.architecture, version.kernelRelease,
                version.rootFormat.rawValue, FileSystemRoom.text(manifest.size),
            ]
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return cells.joined(separator: "  ").trimmingEnd() + "\n"
        }.joined()
    }

    /// All that a manifest says, one property a line.
    static func details(_ manifest: ImageManifest, path: String) -> String {
        let version = manifest.version
        let origin = manifest.provenance
        var lines: [(String, String)] = [
            ("image", version.id.description), ("created", version.created.description),
            ("architecture", version.architecture), ("kernel", version.kernelRelease),
            ("root", version.rootFormat.rawValue), ("arguments", version.kernelArguments.joined(separator: " ")),
            ("directory", path),
        ]
        for file in manifest.allFiles {
            lines.append(("file", "\(file.name), \(FileSystemRoom.text(file.size)), sha256 \(file.sha256)"))
        }
        lines.append(
            ("recipe", [origin.recipe, origin.suite, origin.mirror].compactMap(\.self).joined(separator: " "))
        )
        if let count = origin.packageCount { lines.append(("packages", "\(count), listed in packages.txt")) }
        for (tool, number) in origin.tools.sorted(by: { $0.key < $1.key }) {
            lines.append(("made by", "\(tool) \(number)"))
        }
        if !origin.command.isEmpty { lines.append(("command", origin.command.joined(separator: " "))) }
        return lines.filter { !$0.1.isEmpty }.map { name, value in
            name + String(repeating: " ", count: 14 - name.count) + value
        }.joined(separator: "\n")
    }

    /// To the minute, UTC.
    private static func date(_ time: Timestamp) -> String {
        let text = time.description
        return text.prefix(10) + " " + text.dropFirst(11).prefix(5)
    }
}

extension String {
    fileprivate func trimmingEnd() -> String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
