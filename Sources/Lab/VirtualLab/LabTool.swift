import CLinux

/// A program that a lab calls, and the Debian package that has it.
package struct LabTool: Sendable {
    let name: String
    let debianPackage: String

    package static let ip = LabTool(name: "ip", debianPackage: "iproute2")
    package static let setpriv = LabTool(name: "setpriv", debianPackage: "util-linux")
    package static let tcpdump = LabTool(name: "tcpdump", debianPackage: "tcpdump")
    package static let nft = LabTool(name: "nft", debianPackage: "nftables")
    package static let qemuX86 = LabTool(name: "qemu-system-x86_64", debianPackage: "qemu-system-x86")
    package static let qemuARM = LabTool(name: "qemu-system-aarch64", debianPackage: "qemu-system-arm")
    package static let dnsmasq = LabTool(name: "dnsmasq", debianPackage: "dnsmasq-base")

    /// Its path: searched in PATH and in the directories for the administrator, which a user's PATH often lacks.
    package var path: String? {
        let fromEnvironment = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
        let directories =
            fromEnvironment.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
        return directories.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
    }

    /// Its path, or a line naming the package to install.
    func require() throws -> String {
        guard let path else {
            throw LabError("\(name) is not installed; on Debian: apt install \(debianPackage)")
        }
        return path
    }
}

/// Says in one line why no lab can be made here: not root, or a tool is missing; nil when all is there.
package func labObstacle(tools: [LabTool] = [.ip, .setpriv, .qemuX86]) -> String? {
    guard geteuid() == 0 else { return "a virtual lab needs root (network namespaces); run it with sudo" }
    for tool in tools where tool.path == nil {
        return "\(tool.name) is not installed; on Debian: apt install \(tool.debianPackage)"
    }
    return nil
}
