/// Which modules of a kernel go into the initramfs; what they need comes along.
public struct ModuleRules: Sendable, Equatable {
    /// Without these, as modules or built in, no node boots: they are an error when missing.
    public var required: [String]
    /// Taken where the kernel has them: module names or aliases.
    public var names: [String]
    /// All modules below these folders of `lib/modules/<release>/`.
    public var folders: [String]

    /// Rules of one's own.
    public init(required: [String], names: [String], folders: [String]) {
        self.required = required
        self.names = names
        self.folders = folders
    }

    /// Wired network cards of every kind, the way to them (PCI, virtio, USB, hypervisors), and what a root needs.
    public static let standard = ModuleRules(
        required: ["nbd"],
        names: [
            "virtio_net", "virtio_pci", "virtio_mmio", "virtio_blk", "virtio_rng", "vmxnet3", "hv_netvsc", "hv_vmbus",
            "pci_hyperv", "xen_netfront", "af_packet",
            "r8152", "r8153_ecm", "asix", "ax88179_178a", "smsc95xx", "smsc75xx", "lan78xx", "cdc_ether", "cdc_ncm",
            "overlay", "squashfs", "erofs", "ext4", "loop", "crc32c", "nfs", "nfsv3", "nfsv4",
        ],
        folders: [
            "kernel/drivers/net/ethernet/", "kernel/drivers/net/phy/", "kernel/drivers/net/mdio/",
            "kernel/drivers/net/hyperv/", "kernel/drivers/usb/host/", "kernel/drivers/usb/dwc2/",
            "kernel/drivers/usb/dwc3/", "kernel/drivers/pci/controller/",
        ]
    )

    /// The closure of the rules over hard and soft dependencies.
    ///
    /// - Throws: `InitramfsError.missingModule` for a required module that the kernel does not have.
    func select(from index: ModuleIndex) throws(InitramfsError) -> ModuleSelection {
        var queue: [String] = []
        for name in required {
            let found = index.modules(named: name)
            guard !found.isEmpty || index.builtin.contains(ModuleFile.normalized(name)) else {
                throw .missingModule(name, release: index.release)
            }
            queue += found
        }
        for name in names { queue += index.modules(named: name) }
        for (name, path) in index.paths where folders.contains(where: path.hasPrefix) { queue.append(name) }
        var chosen: Set<String> = []
        while let name = queue.popLast() {
            guard index.paths[name] != nil, chosen.insert(name).inserted else { continue }
            queue += index.needs[name] ?? []
            for wish in index.wishes[name] ?? [] { queue += index.modules(named: wish) }
        }
        return ModuleSelection(names: chosen, index)
    }
}

/// The modules of one initramfs, and the files by which busybox' modprobe finds them.
struct ModuleSelection {
    let names: Set<String>
    /// Their paths as the image has them, sorted.
    let paths: [String]

    init(names: Set<String>, _ index: ModuleIndex) {
        self.names = names
        paths = names.compactMap { index.paths[$0] }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// `modules.dep` of the selection, in the order of paths.
    func dependencyLines(_ index: ModuleIndex) -> String {
        var text = ""
        for path in paths {
            let needs = (index.needs[ModuleFile.name(path)] ?? []).compactMap { index.paths[$0] }
            text += ModuleFile.plainPath(path) + ":"
            for need in needs { text += " " + ModuleFile.plainPath(need) }
            text += "\n"
        }
        return text
    }

    /// `modules.alias` of the selection, in the order of the image's.
    func aliasLines(_ index: ModuleIndex) -> String {
        var text = ""
        for alias in index.aliases where names.contains(alias.name) {
            text += "alias \(alias.pattern) \(alias.name)\n"
        }
        return text
    }
}
