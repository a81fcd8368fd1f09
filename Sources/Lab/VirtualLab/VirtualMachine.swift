import CLinux

/// A machine of a lab: it is powered on and off, its serial console is read and typed on, its cable pulled.
public final class VirtualMachine: Sendable {
    /// What it is made of.
    public let machine: Machine

    private let host: LabHost
    private let tap: String
    private let directory: String
    private let running = Monitor(Running())

    private struct Running {
        var process: LabProcess?
        var console = Transcript()
        var starts = 0
    }

    init(_ machine: Machine, host: LabHost, tap: String, directory: String) {
        (self.machine, self.host, self.tap, self.directory) = (machine, host, tap, directory)
        let console = Transcript()
        console.end()
        running.update { $0.console = console }
    }

    /// What the current run (or the last one) wrote on the serial line.
    public var console: Transcript { running.read(\.console) }

    /// Whether it is on.
    public var isOn: Bool { running.read { $0.process?.isRunning ?? false } }

    /// Where the console of the current run is logged: `NAME-RUN.console` in the lab's directory.
    public var consoleLog: String { running.read { "\(directory)/\(machine.name)-\($0.starts).console" } }

    /// Turns it on; it boots from the network.
    ///
    /// A restart by the node itself turns it off; ``powerOn()`` again to go on.
    public func powerOn() throws {
        guard !isOn else { return }
        running.update { $0.starts += 1 }
        let control = "\(directory)/\(machine.name).qmp"
        unsafe unlink(control)
        let variables = "\(directory)/\(machine.name).vars"
        if machine.firmware != .bios, !isReadable(variables) {
            try copyFile(try FirmwareFiles.find(for: machine.firmware).variables, to: variables)
        }
        let command = try machine.command(tap: tap, control: control, variables: variables)
        let process = try host.start(command, log: consoleLog)
        running.update { running in
            running.process = process
            running.console = process.output
        }
    }

    /// Cuts the power.
    public func powerOff() {
        guard let process = running.read(\.process) else { return }
        process.signal(SIGKILL)
        process.waitForExit(limit: .seconds(10))
        process.output.waitForEnd(limit: .seconds(2))
    }

    /// Cuts the power and turns it on again.
    public func powerCycle() throws {
        powerOff()
        try powerOn()
    }

    /// Waits until it is off.
    ///
    /// - Throws: ``LabError`` when it still runs after `limit`.
    public func waitUntilOff(limit: Duration) throws {
        guard running.read(\.process)?.waitForExit(limit: limit) != nil else {
            throw LabError("\(machine.name) is still on after \(Int(limit.inSeconds)) s")
        }
    }

    /// Types on the serial console.
    public func type(_ text: String) { running.read(\.process)?.type(text) }

    /// Types bytes on the serial console.
    public func type(bytes: [UInt8]) { running.read(\.process)?.type(bytes: bytes) }

    /// Stops its processors; everything goes on where it was after ``resume()``.
    public func pause() throws { try control("stop") }

    /// Lets its processors run again.
    public func resume() throws { try control("cont") }

    /// Pulls the cable so that the node notices (the carrier goes).
    public func unplug() throws { try control("set_link", "{\"name\":\"nic0\",\"up\":false}") }

    /// Puts the cable in again.
    public func plug() throws { try control("set_link", "{\"name\":\"nic0\",\"up\":true}") }

    /// Drops every packet of the node from now on without either end noticing, until ``mendLink()``.
    public func cutLinkSilently() throws {
        let table = "bridge cut_\(tap)"
        let rules = [
            "add table \(table)",
            "add chain \(table) leaving { type filter hook prerouting priority -300 ; }",
            "add chain \(table) arriving { type filter hook postrouting priority 300 ; }",
            "add rule \(table) leaving iifname \(tap) drop",
            "add rule \(table) arriving oifname \(tap) drop",
        ]
        try host.run(["nft", rules.joined(separator: "\n")])
    }

    /// Lets the packets through again.
    public func mendLink() throws { try host.run(["nft", "delete table bridge cut_\(tap)"]) }

    private func control(_ command: String, _ arguments: String = "{}") throws {
        guard isOn else { throw LabError("\(machine.name) is off") }
        try MachineControl(socket: "\(directory)/\(machine.name).qmp").execute(command, arguments)
    }
}

/// Whether a file can be read.
func isReadable(_ path: String) -> Bool { unsafe access(path, R_OK) == 0 }

/// Copies a file of some megabytes.
func copyFile(_ source: String, to target: String) throws {
    let input = unsafe clinux_open(source, O_RDONLY | O_CLOEXEC, 0)
    let output = unsafe clinux_open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    defer {
        close(input)
        close(output)
    }
    guard input >= 0, output >= 0 else { throw LabError("cannot copy \(source) to \(target)") }
    while true {
        let count = sendfile(output, input, nil, 1 << 20)
        if count == 0 { return }
        if count < 0, clinux_errno() != EINTR { throw LabError("cannot copy \(source) (error \(clinux_errno()))") }
    }
}
