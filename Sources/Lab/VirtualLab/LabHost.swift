import CLinux
public import NetworkTypes

/// A computer of the lab that is a network namespace of this one: a server, a foreign DHCP server, a client.
public final class LabHost: Sendable {
    /// The name of its namespace, as `ip netns` lists it.
    public let namespace: String
    /// Its interface on the lab's network.
    public let interface: String
    /// Its address there.
    public let address: IPv4Address

    private let thread = LabThread()
    private let processes = Monitor<[LabProcess]>([])

    init(namespace: String, interface: String, address: IPv4Address) throws {
        (self.namespace, self.interface, self.address) = (namespace, interface, address)
        try runHere("ip", "netns", "add", namespace)
        try thread.run {
            let descriptor = unsafe clinux_open("/run/netns/\(namespace)", O_RDONLY | O_CLOEXEC, 0)
            defer { CLinux.close(descriptor) }
            guard descriptor >= 0, setns(descriptor, CLONE_NEWNET) == 0 else {
                throw LabError("cannot enter the network namespace \(namespace) (error \(clinux_errno()))")
            }
        }
        try ip("link", "set", "lo", "up")
        // Duplicate address detection would keep the link-local address unusable for the first second.
        try thread.run { for name in ["default", "all"] { disableDuplicateAddressDetection(name) } }
    }

    /// Starts a program in the namespace; it is stopped with the lab at the latest.
    public func start(
        _ command: [String],
        log: String? = nil,
        environment: [String: String] = [:]
    ) throws -> LabProcess {
        let path = try resolve(command)
        let process = try thread.run {
            try LabProcess(command: path, output: Transcript(log: log), environment: environment)
        }
        processes.update { $0.append(process) }
        return process
    }

    /// Runs a program in the namespace to its end and gives its output.
    ///
    /// - Throws: ``LabError`` with the output when it fails or takes longer than `limit`.
    @discardableResult
    public func run(_ command: [String], limit: Duration = .seconds(30)) throws -> String {
        let path = try resolve(command)
        let process = try thread.run { try LabProcess(command: path, output: Transcript()) }
        return try finished(process, command: command, limit: limit)
    }

    /// Runs `ip` in the namespace.
    func ip(_ words: String...) throws { try run(["ip"] + words) }

    /// Stops every program started here and removes the namespace.
    func close() {
        for process in processes.read(\.self).reversed() { process.stop() }
        thread.end()
        _ = try? runHere("ip", "netns", "del", namespace)
    }
}

/// The command with its program's full path, searched as a shell with the administrator's PATH would.
private func resolve(_ command: [String]) throws -> [String] {
    guard let program = command.first else { throw LabError("no command") }
    if program.contains("/") { return command }
    let known: [LabTool] = [.ip, .setpriv, .tcpdump, .nft, .qemuX86, .dnsmasq]
    let tool = known.first { $0.name == program } ?? LabTool(name: program, debianPackage: program)
    return [try tool.require()] + command.dropFirst()
}

/// One thread for the short commands outside any namespace.
private let outside = LabThread()

/// Runs a program in this process's own namespace to its end.
@discardableResult
func runHere(_ command: String...) throws -> String {
    let path = try resolve(command)
    let process = try outside.run { try LabProcess(command: path, output: Transcript()) }
    return try finished(process, command: command, limit: .seconds(30))
}

private func finished(_ process: LabProcess, command: [String], limit: Duration) throws -> String {
    guard let code = process.waitForExit(limit: limit) else {
        process.stop()
        throw LabError("\(command.joined(separator: " ")) took longer than \(Int(limit.inSeconds)) s")
    }
    process.output.waitForEnd(limit: .seconds(2))
    let text = process.output.text()
    guard code == 0 else {
        throw LabError("\(command.joined(separator: " ")) failed with exit code \(code): \(text.prefix(500))")
    }
    return text
}

/// Writes to /proc/sys of the calling thread's namespace; a kernel without IPv6 has no such file.
private func disableDuplicateAddressDetection(_ interface: String) {
    let descriptor = unsafe clinux_open("/proc/sys/net/ipv6/conf/\(interface)/accept_dad", O_WRONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return }
    _ = unsafe write(descriptor, "0", 1)
    close(descriptor)
}
