import AdminAPI
import ArgumentParser
import Daemon

/// How a command reaches the server: the socket that belongs to its state directory.
struct ServerOption: ParsableArguments {
    @OptionGroup var state: StateOption

    /// A client of that server.
    var client: AdminClient { AdminClient(socketPath: state.directory.adminSocket) }
}

/// `--json`, as every reading command has it.
struct JSONFlag: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print JSON.")
    var isOn = false
}
