import BootModel
import Foundation
import ImageStore
import NetworkTypes
import VirtualLab

/// A server of this same program for one trial: inside the lab, with a state directory of its own.
///
/// The image's files are hard links to those of the real state directory: versions never change, nothing is copied, and
/// the locked registry of a running server is not touched.
struct TrialServer {
    /// Its state directory, `STATE/try/PROCESS`.
    let state: String
    /// Its process.
    let process: LabProcess

    private let program: String
    private let lab: Lab
    private let version: ImageVersionID

    init(lab: Lab, state base: String, version: ImageVersionID) throws {
        (self.lab, self.version) = (lab, version)
        program = try Self.ownProgram()
        Self.removeStale("\(base)/try")
        let state = "\(base)/try/\(getpid())"
        self.state = state
        lab.atClose { try? FileManager.default.removeItem(atPath: state) }
        try Self.link(ImageStore(state: base).path(of: version), to: ImageStore(state: state).path(of: version))
        try Self.link("\(base)/loaders", to: "\(state)/loaders")
        process = try lab.server.start(
            [program, "serve", "--state", state, "--interface", lab.server.interface, "--dhcp", "full"],
            log: "\(lab.directory)/server.log"
        )
        try process.waitForSocket("\(state)/admin.sock", limit: .seconds(20))
    }

    /// Names the node and gives it its image.
    func apply(node: String, mac: MACAddress, writes: String?, loader: String?, console: String) throws {
        let root = writes.map { "\n    root: {via: nbd, writes: \($0)}" } ?? ""
        let loader = loader.map { "\n    loader: \($0)" } ?? ""
        // The machine has no screen: its console is the serial line that the lab reads.
        let arguments = "\n    kernel-arguments: [\"\(console)\"]"
        let fleet =
            "nodes:\n  - name: \(node)\n    mac: [\"\(mac)\"]\n    image: \(version)\(root)\(loader)\(arguments)\n"
        let file = "\(state)/fleet.yaml"
        try fleet.write(toFile: file, atomically: false, encoding: .utf8)
        try lab.server.run([program, "apply", file, "--state", state])
    }

    /// Starts telling what happens: lines of JSON.
    func watch() throws -> LabProcess { try lab.server.start([program, "watch", "--json", "--state", state]) }

    private static func ownProgram() throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }

    /// Hard links of the files in `source`, in a new directory `target`; nothing when there is no `source`.
    private static func link(_ source: String, to target: String) throws {
        let files = FileManager.default
        guard let names = try? files.contentsOfDirectory(atPath: source) else { return }
        try files.createDirectory(atPath: target, withIntermediateDirectories: true)
        for name in names {
            // Folders hold loaders of one kind: shim with its GRUB, GRUB's modules.
            if (try? files.contentsOfDirectory(atPath: "\(source)/\(name)")) != nil {
                try link("\(source)/\(name)", to: "\(target)/\(name)")
            } else {
                try files.linkItem(atPath: "\(source)/\(name)", toPath: "\(target)/\(name)")
            }
        }
    }

    /// Removes what trials of processes that no longer run left.
    private static func removeStale(_ folder: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard let process = Int32(name), process > 0, kill(process, 0) != 0, errno == ESRCH else {
                continue
            }
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }
}
