import BootModel
import NodeAgent
import OverlayFiles

/// Gives each boot its agent, with a token of its own, and the accounts of who may log in.
struct AgentContributor: OverlayContributor {
    let agents: AgentService
    let registry: any NodeRegistry

    var name: String { "agent" }

    func files(for boot: OverlayBoot) throws -> [OverlayFile] {
        guard let server = boot.server else { return [] }
        // A preview has the look of a token, which is one that no boot has.
        let token = try boot.boot.map { try agents.token(for: $0, mac: boot.mac) } ?? String(repeating: "0", count: 64)
        let users = try registry.fleet().users(of: boot.settings)
        if boot.boot != nil { agents.homes.make(for: users, mounts: boot.settings.mounts.value) }
        let accounts = AccountFile(users)
        return AgentFile.files(node: boot.node.name, server: server, token: token, accounts: accounts).map { file in
            var made = OverlayFile.text(file.path, file.text, isSecret: file.isSecret)
            made.isOfOneBoot = file.isOfOneBoot
            return made
        }
    }
}
