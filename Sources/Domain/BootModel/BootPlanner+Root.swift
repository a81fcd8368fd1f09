import NetworkTypes

extension BootPlanner {
    /// The root of a boot: where it is, and what the boot may use for it.
    static func rootPlan(_ choice: RootChoice, image: ImageVersion, _ inputs: Inputs) -> RootPlan {
        let boot = inputs.boot ?? BootIdentifier(random: 0, 0)
        let node = inputs.node.name
        let server = inputs.server
        func nbd(_ name: String) -> String { "nbd://\(server.address):\(server.nbdPort)/\(name)" }
        func nfs(_ scheme: String, _ path: String) -> String {
            "\(scheme)://\(server.address):\(server.nfsPort)\(path)?vers=3"
        }
        var plan = RootPlan(choice: choice, url: "")
        if choice.writes == .keep, choice.via != .nfs {
            plan.volume = nbd("\(VolumeName(.volume, node, boot))")
            plan.volumes.append(VolumeGrant(.volume, size: RootPlan.volumeSize))
        }
        switch choice.via {
        case .nbd:
            if choice.writes == .shared {
                plan.url = nbd("\(VolumeName(.shared, node, boot))")
                plan.volumes.append(VolumeGrant(.shared, size: nil))
            } else {
                let layer = choice.writes == .cow ? ExportName.Layer(node: node, boot: boot) : nil
                plan.url = nbd("\(ExportName(image: image.id, layer: layer))")
            }
        case .nfs:
            let tree = tree(choice.writes, image: image.id, node: node, boot: boot)
            plan.trees.append(tree)
            plan.url = nfs("nfs", tree.path)
        case .nfsImage:
            let file = image.files[.root]?.name ?? image.rootFormat.fileName
            let tree = TreeGrant(
                path: "/files/\(image.id)",
                source: .imageFiles(image.id),
                isWritable: false,
                isOwn: false
            )
            plan.trees.append(tree)
            plan.url = nfs("nfs-image", "\(tree.path)/\(file)")
        case .ram:
            plan.url = BootURL.file(.root, of: image, server: server)
        }
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
}
