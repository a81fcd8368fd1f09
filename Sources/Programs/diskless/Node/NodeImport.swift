import AdminAPI
public import ArgumentParser
import BootModel
public import ForeignDHCP
import Foundation
import NetworkTypes

extension HostFileFormat: ExpressibleByArgument {}

/// The machines of another program's file as nodes: all of them, or none.
struct NodeImport {
    let file: String
    let format: HostFileFormat?
    let profiles: [ProfileName]
    let client: AdminClient

    func run() throws {
        let text = try text()
        let entries: [HostEntry]
        do throws(HostFileError) {
            entries = try HostFile.read(text, as: format ?? HostFileFormat(of: text))
        } catch {
            throw AdminProblem(error.lines(file: file).joined(separator: "\n"))
        }
        guard !entries.isEmpty else { throw AdminProblem("\(file): no machine is in it") }
        try refuseKnown(entries)
        _ = try client.apply(fleetFile(entries))
        for entry in entries {
            let macs = entry.macs.map(\.description).joined(separator: ", ")
            Output.line("added node \(entry.nodeName): \(macs)" + (entry.address.map { ", \($0)" } ?? ""))
        }
    }

    private func text() throws -> String {
        let data: Data
        do {
            data =
                try file == "-"
                ? FileHandle.standardInput.readToEnd() ?? Data() : Data(contentsOf: URL(fileURLWithPath: file))
        } catch {
            throw AdminProblem("\(file) cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= HostFile.limit, let text = String(validating: data, as: UTF8.self) else {
            throw AdminProblem("\(file) is no text file of at most \(HostFile.limit >> 20) MiB")
        }
        return text
    }

    /// Applying a fleet file would change nodes that are there; this command only adds.
    private func refuseKnown(_ entries: [HostEntry]) throws {
        let nodes = try client.nodes()
        let names = Set(nodes.map(\.name))
        let owners = Dictionary(nodes.flatMap { node in node.macs.map { ($0, node.name) } }) { first, _ in first }
        var problems: [String] = []
        for entry in entries {
            if names.contains(entry.nodeName) {
                problems.append("\(file):\(entry.line): node \(entry.nodeName) exists already")
            } else {
                for mac in entry.macs {
                    guard let owner = owners[mac] else { continue }
                    problems.append("\(file):\(entry.line): hardware address \(mac) belongs to node \(owner) already")
                }
            }
        }
        guard problems.isEmpty else { throw AdminProblem(problems.joined(separator: "\n")) }
    }

    private func fleetFile(_ entries: [HostEntry]) -> String {
        var lines = ["nodes:"]
        for entry in entries {
            lines.append("  - name: \"\(entry.nodeName)\"")
            lines.append("    mac: [\(entry.macs.map { "\"\($0)\"" }.joined(separator: ", "))]")
            if let address = entry.address { lines.append("    address: \(address)") }
            if !profiles.isEmpty {
                lines.append("    profiles: [\(profiles.map { "\"\($0)\"" }.joined(separator: ", "))]")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
