import NetworkTypes

/// What may stand in a kernel command line that goes through a loader's script.
public enum KernelArgument {
    /// Why an argument of an image or of the fleet cannot be handed on; nil when it can.
    ///
    /// iPXE splits its script at blanks and lines, takes `&&`, `||` and what begins with `#` for its own, and puts in
    /// the value of each `${…}`; it has no way of quoting any of them.
    public static func problem(with argument: String) -> String? {
        let words = argument.split(separator: " ", omittingEmptySubsequences: true)
        if words.isEmpty { return "is empty" }
        if argument.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
            return "holds a control character"
        }
        if argument.contains("${") { return "holds \"${\", which the loader would replace" }
        for word in words where word == "&&" || word == "||" || word.hasPrefix("#") {
            return "holds \"\(word)\", which the loader would take for its own"
        }
        if argument.contains(" "),
            argument.utf8.count(where: { $0 == UInt8(ascii: "\"") }) % 2 == 1 || !argument.contains("\"")
        {
            return "holds a blank: write it as two arguments, or put double quotes around the value"
        }
        return nil
    }
}

/// The kernel command line of a node (docs/protocols/node.md).
enum KernelCommandLine {
    /// The longest one that reaches the kernel whole, in bytes; iPXE and the kernel cut off the rest without a word.
    ///
    /// `COMMAND_LINE_SIZE` is 2048 on x86 and arm64, 1024 on 32-bit arm. Some bytes are kept for what the loader puts in.
    static func limit(for image: ImageVersion) -> Int { (image.architecture == "armhf" ? 1024 : 2048) - 64 }

    /// The arguments in order: the image's, the settings', then ours, which win where a name is given twice.
    static func arguments(for inputs: BootPlanner.Inputs, image: ImageVersion, root: RootPlan) -> [String] {
        let boot = inputs.boot ?? BootIdentifier(random: 0, 0)
        var arguments = image.kernelArguments + inputs.settings.kernelArguments.value
        arguments += [
            // The initramfs has no udev: the interface keeps the kernel's name also in the running system.
            "net.ifnames=0",
            "BOOTIF=01-\(inputs.request.mac.dashed)",
            address(inputs),
            "diskless.root=\(root.url)",
            "diskless.writes=\(root.choice.writes.rawValue)",
            "diskless.report=\(BootURL.report(for: inputs.request.mac, boot: boot, server: inputs.server))",
        ]
        arguments += root.standard
        if let volume = root.volume { arguments.append("diskless.volume=\(volume)") }
        if let swap = root.swap { arguments.append("diskless.swap=\(swap)") }
        if !root.mounts.isEmpty { arguments.append("diskless.mounts=\(root.mounts.count)") }
        // An NBD root holds its node's address; an NFS client without work closes its connection, and ram has none.
        if inputs.addressing == .foreign || root.choice.via != .nbd { arguments.append("diskless.lease=renew") }
        return arguments
    }

    /// `ip=` as the kernel reads it (Documentation/admin-guide/nfs/nfsroot.rst):
    /// client:server:gateway:netmask:hostname:device:autoconf:dns0.
    static func address(_ inputs: BootPlanner.Inputs) -> String {
        let server = inputs.server.address
        let host = inputs.node.name
        switch inputs.addressing {
        case .leased(let address, let subnet, let router, let nameservers):
            let gateway = router?.description ?? ""
            let nameserver = nameservers.first?.description ?? ""
            return "ip=\(address):\(server):\(gateway):\(subnet.mask):\(host)::off:\(nameserver)"
        case .foreign:
            // iPXE puts in what the other server gave it; netX is the interface it booted from.
            return "ip=${netX/ip}:\(server):${netX/gateway}:${netX/netmask}:\(host)::off:${netX/dns}"
        }
    }

    /// The same command line for loaders that cannot put in what another server gave: the initramfs asks it again.
    static func withoutVariables(_ arguments: [String], for inputs: BootPlanner.Inputs) -> [String] {
        guard inputs.addressing == .foreign else { return arguments }
        let ours = address(inputs)
        return arguments.map { $0 == ours ? "ip=:\(inputs.server.address):::\(inputs.node.name)::dhcp" : $0 }
    }
}
