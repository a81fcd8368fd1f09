import NetworkTypes

extension BootPlanner {
    /// The menu of a node: the image that it boots, and what its setting `menu` offers beside it.
    ///
    /// An entry that cannot boot on this machine is left out, and the reasons say why: the others still work.
    static func menu(
        _ inputs: Inputs,
        image: ImageVersion,
        arguments: [String],
        reasons: inout [String]
    ) -> BootMenu {
        let usual = BootMenu.Entry("\(image.id)", .linux(linux(image, arguments, inputs)))
        let wanted = inputs.settings.menuEntries
        guard !wanted.value.isEmpty else { return BootMenu(node: inputs.node.name, entries: [usual]) }
        var entries: [(wish: MenuEntry?, entry: BootMenu.Entry)] = []
        for wish in wanted.value {
            switch wish {
            case .localDisk: entries.append((wish, BootMenu.Entry("local disk", .localDisk)))
            case .memoryTest:
                guard inputs.loaders.contains(BootPath.memoryTest.bios),
                    inputs.request.architecture?.machine ?? .x86 == .x86
                else {
                    reasons.append("menu: memtest left out, it needs the package memtest86+ and an x86 machine")
                    continue
                }
                entries.append((wish, BootMenu.Entry("memory test", .memoryTest)))
            case .image(let reference):
                switch linux(reference, inputs, usual: image) {
                case .success(let boot):
                    let title =
                        reference.description == "\(boot.image)" ? "\(boot.image)" : "\(reference) (\(boot.image))"
                    entries.append((wish, BootMenu.Entry(title, .linux(boot))))
                case .failure(let problem): reasons.append("menu: \(reference) left out, \(problem.reason)")
                }
            }
        }
        // What the node boots anyway is always offered, whatever the list says.
        let chosen = inputs.settings.menuDefault.flatMap { asked in
            entries.firstIndex { $0.wish == asked.value }
        }
        let own = entries.firstIndex { $0.entry.action == usual.action }
        if own == nil { entries.insert((nil, usual), at: 0) }
        let defaultIndex = chosen.map { $0 + (own == nil ? 1 : 0) } ?? own ?? 0
        let seconds = inputs.settings.menuTimeout?.value.seconds ?? defaultMenuSeconds
        let menu = BootMenu(
            node: inputs.node.name,
            entries: entries.map(\.entry),
            defaultIndex: defaultIndex,
            timeout: seconds
        )
        reasons.append(
            "menu of \(menu.entries.count) (\(wanted.source)): \(menu.defaultEntry.title) after \(seconds) s"
        )
        return menu
    }

    /// How long a menu waits when nobody says how long, in seconds.
    static let defaultMenuSeconds = 10

    private static func linux(
        _ reference: ImageReference,
        _ inputs: Inputs,
        usual: ImageVersion
    ) -> Result<LinuxBoot, BootRefusal> {
        guard let image = inputs.menuImages[reference] else { return .failure(BootRefusal("it does not exist")) }
        guard image.architecture == usual.architecture else {
            return .failure(BootRefusal("it is for \(image.architecture)"))
        }
        let choice = inputs.settings.root
        if let problem = choice.problem(with: image.rootFormat) { return .failure(BootRefusal(problem)) }
        let root: RootPlan
        do throws(BootRefusal) { root = try rootPlan(choice, image: image, inputs) } catch { return .failure(error) }
        if image.id != usual.id, root.isOneImageOnly {
            return .failure(
                BootRefusal("with writes: \(choice.writes.rawValue) the server's tree lies over one image at a time")
            )
        }
        let arguments = KernelCommandLine.arguments(for: inputs, image: image, root: root)
        guard arguments.reduce(0, { $0 + $1.utf8.count + 1 }) <= KernelCommandLine.limit(for: image) else {
            return .failure(BootRefusal("its kernel command line would be too long"))
        }
        return .success(linux(image, arguments, inputs))
    }

    private static func linux(_ image: ImageVersion, _ arguments: [String], _ inputs: Inputs) -> LinuxBoot {
        var archives = [BootPath.file(.initramfs, of: image)]
        if inputs.hasOverlay {
            archives.append(
                BootPath.overlay(for: inputs.request.mac, boot: inputs.boot ?? BootIdentifier(random: 0, 0))
            )
        }
        return LinuxBoot(
            image: image.id,
            kernel: BootPath.file(.kernel, of: image),
            initramfs: archives,
            arguments: KernelCommandLine.withoutVariables(arguments, for: inputs),
            ipxeArguments: arguments
        )
    }
}
