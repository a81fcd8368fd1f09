import BootModel

/// Answers `diskless explain` from the same plans, without touching the boot that the machine may be in.
struct Onlooker: BootPlanning {
    let boots: BootService

    func identify(_ request: NodeRequest) -> (node: Node, isKnown: Bool) { boots.recognize(request) }

    func plan(
        for request: NodeRequest,
        addressing: NodeAddressing,
        server: ServerAddresses
    ) -> Result<BootPlan, BootRefusal> {
        boots.preview(for: request, addressing: addressing, server: server)
    }
}
