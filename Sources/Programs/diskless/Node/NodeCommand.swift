import ArgumentParser

/// `diskless node`: the machines that have names.
struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Show and change the nodes.",
        subcommands: [
            NodeList.self, NodeShow.self, NodeAdd.self, NodeAdopt.self, NodeSet.self, NodeRemove.self, NodeWake.self,
            NodeExec.self, NodeReboot.self, NodePowerOff.self, NodeKeysCommand.self,
            NodeState.self, NodeReset.self, NodeSnapshot.self, NodeRestore.self,
        ]
    )
}
