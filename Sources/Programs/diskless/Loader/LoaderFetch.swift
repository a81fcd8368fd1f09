import ArgumentParser
import Daemon
import Foundation

/// `diskless loader fetch`: GRUB and shim for a processor that is not this computer's.
///
/// Their packages cannot be installed here, so they are unpacked into the state directory. apt checks their signatures,
/// with this computer's sources and keys and in directories of its own.
struct LoaderFetch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Fetch GRUB and shim for another processor into the state directory."
    )

    /// A processor whose loaders can be fetched.
    enum Architecture: String, ExpressibleByArgument, CaseIterable {
        /// 64-bit ARM.
        case arm64
        /// 64-bit x86, for a server that is none itself.
        case amd64

        /// What GRUB calls its platform.
        var platform: String { self == .arm64 ? "arm64-efi" : "x86_64-efi" }
        /// The suffix of UEFI files.
        var suffix: String { self == .arm64 ? "aa64" : "x64" }
    }

    @Argument(help: "The processor: arm64 or amd64.")
    var architecture: Architecture
    @OptionGroup var state: StateOption

    func run() throws {
        let work = FileManager.default.temporaryDirectory.path + "/diskless-loaders-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: work) }
        for folder in ["lists/partial", "cache/archives/partial", "deb", "tree"] {
            try FileManager.default.createDirectory(atPath: "\(work)/\(folder)", withIntermediateDirectories: true)
        }
        let configuration = """
            APT::Architecture "\(architecture.rawValue)";
            APT::Architectures { "\(architecture.rawValue)"; };
            Dir::State "\(work)";
            Dir::State::status "\(work)/status";
            Dir::Cache "\(work)/cache";
            APT::Sandbox::User "root";

            """
        try configuration.write(toFile: "\(work)/apt.conf", atomically: false, encoding: .utf8)
        try "".write(toFile: "\(work)/status", atomically: false, encoding: .utf8)
        let apt = ["APT_CONFIG": "\(work)/apt.conf"]
        Output.line("fetching GRUB and shim for \(architecture.rawValue)")
        try call("apt-get", ["-qq", "update"], environment: apt)
        let packages = [
            "grub-efi-\(architecture.rawValue)-bin", "grub-efi-\(architecture.rawValue)-signed", "shim-signed",
        ]
        try call("apt-get", ["-qq", "download"] + packages, environment: apt, directory: "\(work)/deb")
        for package in try FileManager.default.contentsOfDirectory(atPath: "\(work)/deb") {
            try call("dpkg-deb", ["-x", "\(work)/deb/\(package)", "\(work)/tree"])
        }
        let library = "\(work)/tree/usr/lib"
        let (platform, suffix) = (architecture.platform, architecture.suffix)
        try place("\(library)/grub/\(platform)", "grub/\(platform)")
        try place("\(library)/shim/shim\(suffix).efi.signed", "shim/shim\(suffix).efi")
        try place("\(library)/grub/\(platform)-signed/grubnet\(suffix).efi.signed", "shim/grub\(suffix).efi")
        try place("\(library)/grub/\(platform)-signed/grub\(suffix).efi.signed", "shim/grub\(suffix)-disk.efi")
    }

    /// Puts a file or folder into the loaders folder, in place of an older one.
    private func place(_ source: String, _ name: String) throws {
        let target = "\(state.directory.loaders)/\(name)"
        let folder = URL(fileURLWithPath: target).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let unfinished = "\(target).new"
        try? FileManager.default.removeItem(atPath: unfinished)
        try FileManager.default.copyItem(atPath: source, toPath: unfinished)
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.moveItem(atPath: unfinished, toPath: target)
        Output.line("  \(target)")
    }

    private func call(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        directory: String? = nil
    ) throws {
        let process = Process()
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/\(program)") else {
            throw ValidationError(
                "\(program) is not here: on other systems than Debian's, put the files into \(state.directory.loaders)"
            )
        }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/\(program)")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        let messages = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = messages
        process.standardError = messages
        try process.run()
        let said = String(decoding: messages.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let lines = said.split(whereSeparator: \.isNewline).suffix(3).joined(separator: "; ")
            throw ValidationError("\(program) \(arguments.joined(separator: " ")) failed: \(lines)")
        }
    }
}
