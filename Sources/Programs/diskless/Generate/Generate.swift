import ArgumentParser

/// `diskless generate`: configuration for those who keep their own servers.
struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Print configuration for other servers of yours: DHCP servers, and those that have the roots.",
        subcommands: [
            GenerateDHCPD.self, GenerateKea.self, GenerateDnsmasq.self, GenerateExports.self, GenerateNBDServer.self,
        ]
    )
}
