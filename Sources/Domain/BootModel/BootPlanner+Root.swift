import NetworkTypes

extension BootPlanner {
    /// The root of a boot: where it is, and what the boot may use for it.
    ///
    /// Throws when another server's root is asked to do what only this one can.
    static func rootPlan(
        _ choice: RootChoice,
        image: ImageVersion,
        _ inputs: Inputs
    ) throws(BootRefusal) -> RootPlan {
        if let problem = inputs.settings.rootServerProblem {
            throw BootRefusal("node \(inputs.node.name) with \(image.id): \(problem)")
        }
        let boot = inputs.boot ?? BootIdentifier(random: 0, 0)
        let node = inputs.node.name
        let server = inputs.server
        let elsewhere = inputs.settings.rootServer?.value
        func nbd(_ name: String) -> String { "nbd://\(server.address):\(server.nbdPort)/\(name)" }
        func nfs(_ scheme: String, _ path: String) -> String {
            // Where another server has its MOUNT protocol (version 3), its portmapper tells.
            let place = elsewhere.map { "\($0)" } ?? "\(server.address):\(server.nfsPort)"
            return "\(scheme)://\(place)\(path)?vers=\(inputs.settings.nfsVersion.value.rawValue)"
        }
        var plan = RootPlan(choice: choice, url: "")
        if choice.writes == .keep, choice.via != .nfs {
            plan.volume = nbd("\(VolumeName(.volume, node, boot))")
            let size = inputs.settings.volume?.value.bytes ?? RootPlan.volumeSize
            plan.volumes.append(VolumeGrant(.volume, size: size))
        }
        switch choice.via {
        case .nbd:
            if let elsewhere {
                plan.url = "nbd://\(elsewhere):10809/\(ExportName(image: image.id))"
            } else if choice.writes == .shared {
                plan.url = nbd("\(VolumeName(.shared, node, boot))")
                plan.volumes.append(VolumeGrant(.shared, size: nil))
            } else {
                let layer = choice.writes == .cow ? ExportName.Layer(node: node, boot: boot) : nil
                plan.url = nbd("\(ExportName(image: image.id, layer: layer))")
            }
        case .nfs:
            let tree = tree(choice.writes, image: image.id, node: node, boot: boot)
            plan.url = nfs("nfs", tree.path)
            // In the memory of a node only our own initramfs writes.
            if choice.writes != .ram {
                let version = inputs.settings.nfsVersion.value.rawValue
                let port = elsewhere == nil ? ",port=\(server.nfsPort)" : ""
                // Nothing of an image ever changes. Only of version 3 klibc's nfsmount refuses the option.
                let sparing =
                    choice.writes == .none && inputs.settings.nfsVersion.value != .v3 ? ",nocto,actimeo=86400" : ""
                plan.standard = [
                    "root=/dev/nfs",
                    "nfsroot=\(elsewhere ?? server.address):\(tree.path),vers=\(version),tcp\(port),hard,nolock\(sparing)",
                    choice.writes == .none ? "ro" : "rw",
                ]
            }
            if elsewhere == nil { plan.trees.append(tree) }
        case .nfsImage:
            let file = image.files[.root]?.name ?? image.rootFormat.fileName
            let tree = TreeGrant(
                path: "/files/\(image.id)",
                source: .imageFiles(image.id),
                isWritable: false,
                isOwn: false
            )
            plan.url = nfs("nfs-image", "\(tree.path)/\(file)")
            if elsewhere == nil { plan.trees.append(tree) }
        case .ram:
            plan.url = BootURL.file(.root, of: image, server: server)
        }
        if let swap = inputs.settings.swap {
            plan.swap = nbd("\(VolumeName(.swap, node, boot))")
            plan.volumes.append(VolumeGrant(.swap, size: swap.value.bytes))
        }
        addMounts(to: &plan, inputs, boot: boot)
        return plan
    }

    /// The tree that is a root over NFS.
    private static func tree(
        _ writes: RootWrites,
        image: ImageVersionID,
        node: NodeName,
        boot: BootIdentifier
    ) -> TreeGrant {
        switch writes {
        case .none, .ram:
            TreeGrant(path: "/images/\(image)", source: .image(image), isWritable: false, isOwn: true)
        case .cow:
            TreeGrant(path: "/roots/\(node)/\(boot)", source: .cow(image, node, boot), isWritable: true, isOwn: true)
        case .keep:
            TreeGrant(path: "/nodes/\(node)/root/\(boot)", source: .keep(image, node), isWritable: true, isOwn: true)
        case .shared:
            // The root of every node that shares it: who is root on one of them is root there.
            TreeGrant(path: "/shared/\(image)/\(boot)", source: .shared(image), isWritable: true, isOwn: true)
        }
    }

    /// What is mounted over the root: one line each for the node, with tabs between the fields.
    private static func addMounts(to plan: inout RootPlan, _ inputs: Inputs, boot: BootIdentifier) {
        let server = inputs.server
        let settings = inputs.settings
        let own = ["\(server.address)", "\(server.nfsPort)"]
        func line(_ fields: [String]) { plan.mounts.append(fields.joined(separator: "\t")) }
        // What lies below another is mounted after it.
        for mount in settings.mounts.value.sorted(by: { $0.path < $1.path }) {
            switch mount {
            case .tmpfs(let path, let size, let mode):
                line(["tmpfs", path.text, size.map { "\($0.bytes)" } ?? "-", mode?.description ?? "-"])
            case .nfs(let directory, let path, let mode, let other, let version):
                guard let other else {
                    let export = "/mounts\(directory)"
                    line(["nfs"] + own + [export, path.text, mode.rawValue, version.rawValue])
                    let grant = TreeGrant(
                        path: export,
                        source: .directory(directory.text),
                        isWritable: mode == .readWrite,
                        isOwn: false
                    )
                    if let place = plan.trees.firstIndex(where: { $0.path == export }) {
                        // Mounted twice: what one place may write, the other leaves to the node's own mount.
                        plan.trees[place].isWritable = plan.trees[place].isWritable || grant.isWritable
                    } else {
                        plan.trees.append(grant)
                    }
                    continue
                }
                // Where another server has its MOUNT protocol (version 3), its portmapper tells.
                let port = version == .v3 ? "-" : "2049"
                line(["nfs", "\(other)", port, directory.text, path.text, mode.rawValue, version.rawValue])
            }
        }
        for path in settings.volatile.value.sorted() { line(["volatile", path.text]) }
        guard !settings.state.value.isEmpty else { return }
        let node = inputs.node.name
        let grant = TreeGrant(
            path: "/state/\(node)/\(boot)",
            source: .state(node),
            isWritable: true,
            isOwn: true
        )
        plan.trees.append(grant)
        line(["state"] + own + [grant.path, NFSVersion.v3.rawValue])
        for path in settings.state.value.sorted() { line(["keep", path.text]) }
    }

    /// Why the root, its mounts and volumes are what they are.
    static func storageReasons(_ inputs: Inputs, _ root: RootPlan) -> [String] {
        let settings = inputs.settings
        var reasons: [String] = []
        if let other = settings.rootServer { reasons.append("root from \(other.value) (\(other.source))") }
        if settings.via.value == .nfs || settings.via.value == .nfsImage {
            let version = settings.nfsVersion
            reasons.append("NFS version \(version.value.rawValue) (\(version.source))")
        }
        if root.volume != nil {
            let source = settings.volume?.source ?? .builtIn
            let size = settings.volume?.value.description ?? "8G"
            reasons.append("volume of \(size) (\(source)) for what is written")
        }
        if let swap = settings.swap { reasons.append("swap of \(swap.value) (\(swap.source))") }
        if !settings.mounts.value.isEmpty {
            let paths = settings.mounts.value.map(\.path.text).joined(separator: ", ")
            reasons.append("mounts at \(paths) (\(settings.mounts.source))")
        }
        if !settings.state.value.isEmpty {
            let paths = settings.state.value.map(\.text).joined(separator: ", ")
            reasons.append("kept on the server: \(paths) (\(settings.state.source))")
        }
        if !settings.volatile.value.isEmpty {
            let paths = settings.volatile.value.map(\.text).joined(separator: ", ")
            reasons.append("in memory at each boot: \(paths) (\(settings.volatile.source))")
        }
        if let name = settings.autologin { reasons.append("\(name.value) is logged in on the screen (\(name.source))") }
        return reasons
    }
}

extension EffectiveSettings {
    /// The version that a root over NFS is mounted with.
    var nfsVersion: Sourced<NFSVersion> {
        let isElsewhere = self[dynamicMember: \.rootServer] != nil
        return self[dynamicMember: \.rootVersion]
            ?? Sourced(NFSVersion.usual(isElsewhere: isElsewhere), from: .builtIn)
    }

    /// Why `root.server` cannot hold with the rest, in one line; nil when it can.
    var rootServerProblem: String? {
        guard let other = self[dynamicMember: \.rootServer]?.value else { return nil }
        switch (via.value, writes.value) {
        case (.ram, _): return "root.server \(other) cannot hold with via: ram: the image is fetched from this server"
        case (.nfs, .keep), (_, .cow), (_, .shared):
            return
                "root.server \(other) cannot hold with writes: \(writes.value.rawValue): only this server keeps what is"
                + " written; use none or ram, or keep with via nbd or nfs-image"
        default: return nil
        }
    }
}
