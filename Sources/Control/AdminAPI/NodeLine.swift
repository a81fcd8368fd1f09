public import BootModel
import NetworkTypes
import NodeAgent

/// One node as the line of a table, in words: what `diskless node list` prints, without a value to be decoded.
///
/// On the wire its fields stand between tabs and its line ends with a line feed.
public struct NodeLine: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Its hardware addresses, with commas between them.
    public var macs: String
    /// Its address, or nothing.
    public var address: String
    /// Its profiles, with commas between them.
    public var profiles: String
    /// Its image; nothing for the newest of all.
    public var image: String
    /// How its newest boot stands; nothing when it never booted.
    public var boot: String
    /// When its agent was heard last; nil when it was not since the server started.
    public var seen: Timestamp?
    /// The image version that it says it runs.
    public var runs: String
    /// Its load.
    public var load: String
    /// How much of its root is used: `12 %`.
    public var rootUsed: String

    /// A summary in words.
    public init(_ summary: NodeSummary) {
        name = summary.name.text
        macs = summary.macs.map(\.description).joined(separator: ",")
        address = summary.address?.description ?? ""
        profiles = summary.profiles.map(\.text).joined(separator: ",")
        image = summary.image?.description ?? ""
        boot = summary.boot?.standing ?? ""
        seen = summary.agent?.seen
        runs = summary.agent?.image?.description ?? ""
        load = summary.agent?.load.map { String($0) } ?? ""
        rootUsed = ""
        if let used = summary.agent?.rootUsed, let size = summary.agent?.root, size > 0 {
            rootUsed = "\(Int((Double(used) / Double(size) * 100).rounded(.down))) %"
        }
    }

    /// Appends the line; a reason that a machine told must not make more fields or lines of it.
    public func write(to bytes: inout [UInt8]) {
        let seen = seen.map { String($0.microseconds) } ?? ""
        for (index, field) in [name, macs, address, profiles, image, boot, seen, runs, load, rootUsed].enumerated() {
            if index > 0 { bytes.append(0x09) }
            for byte in field.utf8 { bytes.append(byte < 0x20 ? 0x20 : byte) }
        }
        bytes.append(0x0a)
    }

    /// The lines of a reply; nil when it holds something else.
    public static func lines(_ bytes: [UInt8]) -> [NodeLine]? {
        var lines: [NodeLine] = []
        for line in bytes.split(separator: 0x0a) {
            guard let parsed = NodeLine(line) else { return nil }
            lines.append(parsed)
        }
        return lines
    }

    private init?(_ line: ArraySlice<UInt8>) {
        let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
        guard fields.count == 10 else { return nil }
        func text(_ index: Int) -> String { String(decoding: fields[fields.startIndex + index], as: UTF8.self) }
        name = text(0)
        macs = text(1)
        address = text(2)
        profiles = text(3)
        image = text(4)
        boot = text(5)
        seen = Int64(text(6)).map { Timestamp(microseconds: $0) }
        runs = text(7)
        load = text(8)
        rootUsed = text(9)
    }
}

extension BootRecord {
    /// How it stands: `up after 21.3 s`, `failed: …`, `at initramfs`.
    public var standing: String {
        switch state {
        case "up": "up" + (upAfter.map { " after \(EventRecord.tenths($0)) s" } ?? "")
        case "failed": "failed" + (failure.map { ": \($0)" } ?? "")
        default: "at \(state)"
        }
    }
}
