import BootModel
import CLinux
import Foundation
import NetworkTypes
import Synchronization

/// Makes GRUB's network images from the distribution's modules, with this server's address in them.
///
/// An image is one file with every module that a boot needs: nothing is fetched besides the configuration, and a GRUB
/// beside a foreign DHCP server does not look for its files there.
final class GRUBImages: Sendable {
    private let cache: String
    private let own: String
    private let making = Mutex(())

    /// Keeps what it makes in `cache`; modules in `own` (`grub/arm64-efi`) win over the distribution's.
    init(cache: String, own: String) {
        self.cache = cache
        self.own = own
    }

    /// What is made under which name.
    private struct Kind {
        var platform: String
        var format: String
        var prefix: String
        var modules: [String]
        var asksForAddress = false

        static let shared = [
            "tftp", "http", "normal", "configfile", "linux", "echo", "sleep", "reboot", "halt", "test", "true", "chain",
            "search", "part_gpt", "part_msdos", "fat", "ext2", "minicmd", "net",
        ]
        static let named: [String: Kind] = [
            LoaderName.grubBIOS: Kind(
                platform: "i386-pc",
                format: "i386-pc-pxe",
                prefix: "(pxe)/grub",
                modules: shared + ["pxe", "linux16", "biosdisk"]
            ),
            LoaderName.grubX64: efi("x86_64-efi"),
            LoaderName.grubX64HTTP: efi("x86_64-efi", asksForAddress: true),
            LoaderName.grubARM64: efi("arm64-efi"),
            LoaderName.grubARM64HTTP: efi("arm64-efi", asksForAddress: true),
        ]

        static func efi(_ platform: String, asksForAddress: Bool = false) -> Kind {
            Kind(
                platform: platform,
                format: platform,
                prefix: "/grub",
                modules: shared + ["efinet", "all_video"],
                asksForAddress: asksForAddress
            )
        }
    }

    /// The names of the images that can be made here.
    var names: [String] {
        guard tool != nil else { return [] }
        return Kind.named.filter { modules(of: $0.value) != nil }.map(\.key)
    }

    private var tool: String? {
        ["/usr/bin/grub-mkimage", "/usr/bin/grub2-mkimage"].first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private func modules(of kind: Kind) -> String? {
        [own + "/grub", "/usr/lib/grub", "/usr/share/grub2", "/usr/lib/grub2"].map { "\($0)/\(kind.platform)" }
            .first { FileManager.default.isReadableFile(atPath: "\($0)/moddep.lst") }
    }

    /// The path of an image that finds this server at `server`, made when it is not there yet.
    ///
    /// Throws `GRUBImageError` with what grub-mkimage said.
    func path(of name: String, server: IPv4Address) throws(GRUBImageError) -> String? {
        guard let kind = Kind.named[name], let tool, let modules = modules(of: kind) else { return nil }
        var status = stat()
        // Another package version makes another image.
        guard unsafe stat("\(modules)/kernel.img", &status) == 0 else { return nil }
        let path = "\(cache)/\(name)-\(server)-\(status.st_mtim.tv_sec)"
        let problem = making.withLock { _ -> GRUBImageError? in
            if FileManager.default.isReadableFile(atPath: path) { return nil }
            do throws(GRUBImageError) {
                try make(kind, tool, modules, server, path)
                return nil
            } catch {
                return error
            }
        }
        if let problem { throw problem }
        return path
    }

    private func make(
        _ kind: Kind,
        _ tool: String,
        _ modules: String,
        _ server: IPv4Address,
        _ path: String
    ) throws(GRUBImageError) {
        let start =
            (kind.asksForAddress ? ["net_dhcp"] : [])
            + ["set root=(tftp,\(server))", "set prefix=(tftp,\(server))/grub"]
        let configuration = "\(path).cfg"
        let unfinished = "\(path).new"
        do {
            try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
            try (start.joined(separator: "\n") + "\n").write(toFile: configuration, atomically: false, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: configuration) }
            let process = Process()
            let messages = Pipe()
            process.executableURL = URL(fileURLWithPath: tool)
            process.arguments =
                [
                    "--directory", modules, "--format", kind.format, "--prefix", kind.prefix, "--config", configuration,
                    "--output", unfinished,
                ] + kind.modules
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = messages
            process.standardError = messages
            try process.run()
            let said = String(decoding: messages.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw GRUBImageError(said) }
            guard unsafe rename(unfinished, path) == 0 else { throw GRUBImageError("cannot write \(path)") }
        } catch let error as GRUBImageError {
            throw error
        } catch {
            throw GRUBImageError("\(error)")
        }
    }
}

/// GRUB's image could not be made.
struct GRUBImageError: Error, CustomStringConvertible {
    /// One line: what grub-mkimage said.
    let description: String
    init(_ said: String) {
        description = "grub-mkimage: " + said.split(whereSeparator: \.isNewline).joined(separator: "; ")
    }
}
