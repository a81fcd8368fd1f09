import AdminAPI
import BootModel

/// One boot as lines: a headline, then each event with its seconds since the first.
enum BootTimeline {
    /// The lines.
    static func lines(_ boot: BootRecord) -> [String] {
        var headline = "\(boot.node)  \(LocalTime.full(boot.started))  \(BootTable.state(boot))"
        if let image = boot.image { headline += "  \(image)" }
        if let architecture = boot.architecture { headline += "  \(architecture)" }
        var lines = [headline]
        let offsets = (boot.events ?? []).map { seconds($0.offset ?? 0) }
        let width = offsets.map(\.count).max() ?? 0
        for (event, offset) in zip(boot.events ?? [], offsets) {
            lines.append("  \(String(repeating: " ", count: width - offset.count))\(offset) s  \(event.text)")
        }
        return lines.map(Output.printable)
    }

    /// Seconds with three decimals: a boot's first steps are milliseconds apart.
    private static func seconds(_ value: Double) -> String {
        let milliseconds = Int64((value * 1000).rounded())
        let fraction = String(milliseconds.magnitude % 1000)
        let zeros = String(repeating: "0", count: 3 - fraction.count)
        return "\(milliseconds < 0 ? "-" : "")\(milliseconds.magnitude / 1000).\(zeros)\(fraction)"
    }
}

/// Boots as rows of a table.
enum BootTable {
    /// The table's headings.
    static let headings = ["NODE", "STATE", "IMAGE", "ARCH", "STARTED"]

    /// One boot.
    static func row(_ boot: BootRecord) -> [String] {
        [
            boot.node.text, state(boot), boot.image?.description ?? "", boot.architecture ?? "",
            LocalTime.full(boot.started),
        ]
    }

    /// How it stands: `up after 21.3 s`, `failed: …`, `at initramfs`.
    static func state(_ boot: BootRecord) -> String { boot.standing }
}
