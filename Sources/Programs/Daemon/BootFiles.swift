import BootModel
import CLinux
import Logging
import NetworkIO
import NetworkTypes
import TFTP
import TFTPServer

/// What the TFTP server has: loaders, their configurations, and the files of image versions under the names of HTTP.
struct BootFiles: TFTPContentSource {
    let loaders: LoaderFiles
    let configurations: BootConfigurations
    let catalog: any ImageCatalog
    let firmware: FirmwareArchives
    /// The overlay archive of a boot that is under way; nil when it has none, or when it is not for this address.
    let overlay: @Sendable (MACAddress, BootIdentifier, IPv4Address) -> [UInt8]?
    let clock: any Clock
    let logger: Logger

    private var boots: BootService { configurations.boots }
    private var peers: PeerDirectory { configurations.peers }

    func content(for request: TFTPContentRequest) -> TFTPContent {
        do {
            // Firmware asks "undionly.kpxe", "/undionly.kpxe" or "\undionly.kpxe"; the name is clean by now.
            if let content = try find(request) { return content }
        } catch {
            logger.error("cannot send \(request.name)", metadata: ["error": "\(error)"])
            return .refused(.notDefined, "the server cannot read it")
        }
        // Loaders look for many files that need not be there.
        logger.debug("TFTP: no \(request.name)", metadata: ["peer": "\(request.peer.address)"])
        return .refused(.fileNotFound, "no such file: this server sends what its nodes boot")
    }

    private func find(_ request: TFTPContentRequest) throws -> TFTPContent? {
        let peer = request.peer.address
        switch BootFileRequest(request.name.components) {
        case nil: return nil
        case .configuration(let program, let asker)?: return configuration(program, asker, request)
        case .image(let id, let file)?:
            guard let version = try catalog.resolve(.version(id)),
                let role = version.files.first(where: { $0.value.name == file })?.key
            else { return nil }
            return try open(try catalog.path(of: role, in: id))
        case .overlay(let mac, let boot)?: return overlay(mac, boot, peer).map(TFTPContent.bytes)
        case .joinedInitramfs(let mac, let boot, let image)?:
            guard boots.boot(of: mac)?.id == boot, try catalog.resolve(.version(image)) != nil else { return nil }
            return try joined(image, overlay: overlay(mac, boot, peer))
        case .file(let name)?:
            if let path = try loaders.path(of: name, server: request.local) { return try open(path) }
            return try raspberryPi(name, request)
        }
    }

    // MARK: Configurations

    private func configuration(
        _ asking: LoaderProgram,
        _ asker: BootFileRequest.Asker,
        _ request: TFTPContentRequest
    ) -> TFTPContent? {
        let peer = request.peer.address
        guard let mac = configurations.mac(of: asker, peer: peer) else {
            // Behind a router nobody knows an address; GRUB can say who it is, and PXELINUX has done so before.
            guard asking == .grub, asker == .itself else { return nil }
            return .bytes(Array(GRUBConfiguration.askAgain(request.local).utf8))
        }
        var program = asking
        if program == .pxelinux, boots.boot(of: mac)?.architecture?.isUBoot == true { program = .uboot }
        let question = BootConfigurations.Question(mac: mac, stage: .loader(program), peer: peer, local: request.local)
        let result = configurations.plan(question)
        let text: String
        switch (result, asking) {
        case (.success(let plan), .grub): text = plan.grubConfiguration
        case (.success(let plan), _): text = plan.pxelinuxConfiguration
        case (.failure(let refusal), .grub): text = refusal.grubConfiguration
        case (.failure(let refusal), _): text = refusal.pxelinuxConfiguration
        }
        return .bytes(Array(text.utf8))
    }

    /// What the firmware of a Raspberry Pi asks for; nil for other machines.
    private func raspberryPi(_ name: String, _ request: TFTPContentRequest) throws -> TFTPContent? {
        let peer = request.peer.address
        guard let mac = peers.mac(of: peer) else { return nil }
        // Only what its firmware reads first begins a boot; the rest belongs to the one that is under way.
        let begins = name == "config.txt"
        let question = BootConfigurations.Question(
            mac: mac,
            stage: .loader(.raspberryPi),
            peer: peer,
            local: request.local,
            begins: begins
        )
        // Any machine may ask for a name that is not there: that is no boot, and no refusal worth an event.
        guard boots.isRaspberryPi(mac) else { return nil }
        let plan: BootPlan
        if begins || name == "cmdline.txt" {
            var asked = question
            asked.begins = true
            guard case .success(let found) = configurations.plan(asked) else { return nil }
            plan = found
        } else {
            guard case .success(let found) = configurations.plan(question) else { return nil }
            plan = found
        }
        guard case .linux(let boot) = plan.menu.defaultEntry.action,
            let version = try catalog.resolve(.version(plan.image))
        else { return nil }
        let archive = try firmware.files(of: version, in: catalog)
        switch name {
        case "config.txt":
            let own = String(decoding: archive["config.txt"] ?? [], as: UTF8.self)
            let is64Bit = version.architecture == "arm64"
            return .bytes(Array(RaspberryPiConfiguration.config(boot, is64Bit: is64Bit, image: own).utf8))
        case "cmdline.txt": return .bytes(Array(RaspberryPiConfiguration.commandLine(boot).utf8))
        case RaspberryPiConfiguration.kernelName: return try open(try catalog.path(of: .kernel, in: version.id))
        case RaspberryPiConfiguration.initramfsName:
            let archive = boots.boot(of: mac).flatMap { overlay(mac, $0.id, peer) }
            return try joined(version.id, overlay: archive)
        default: return archive[name].map(TFTPContent.bytes)
        }
    }

    // MARK: Files

    /// All archives in one file, for loaders that take only one.
    private func joined(_ image: ImageVersionID, overlay: [UInt8]?) throws -> TFTPContent {
        let path = try catalog.path(of: .initramfs, in: image)
        guard let overlay else { return try open(path) }
        var bytes = try FirmwareArchives.read(path)
        // The kernel looks for the next archive at a multiple of four.
        bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
        return .bytes(bytes + overlay)
    }

    private func open(_ path: String) throws -> TFTPContent {
        let file = try FileDescriptor("open \(path)", unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0))
        var status = stat()
        try check("read the size of \(path)", unsafe fstat(file.number, &status))
        return .file(file, size: UInt64(status.st_size))
    }

    // MARK: Reports

    func finished(_ report: TFTPTransferReport) {
        let peer = report.request.peer.address
        guard let mac = peers.mac(of: peer), let step = Self.step(report.request.name.components) else { return }
        var event = BootEvent(
            time: clock.now(),
            node: boots.identify(NodeRequest(mac: mac, stage: .firmware)).node.name,
            mac: mac,
            kind: step.event,
            address: peer,
            file: step.file,
            bytes: Int64(clamping: report.bytes),
            seconds: report.seconds
        )
        switch report.outcome {
        case .complete:
            boots.record(event, reached: step.progress)
        case .probed:
            break
        case .aborted(_, let message):
            event.kind = .aborted
            event.detail = message.isEmpty ? "the client gave up" : message
            boots.record(event, reached: nil)
        case .timedOut:
            event.kind = .aborted
            event.detail = "the client fell silent"
            boots.record(event, reached: nil)
        }
    }

    /// Which step of a boot a sent file is; nil for what is no step.
    static func step(_ parts: [String]) -> (event: BootEvent.Kind, file: String, progress: Boot.Progress)? {
        switch BootFileRequest(parts) {
        case .image(let id, let file)?:
            switch file {
            case "kernel": return (.kernel, "\(id)/\(file)", .kernel)
            case "initramfs": return (.initramfs, "\(id)/\(file)", .kernel)
            default: return nil
            }
        case .joinedInitramfs(_, _, let id)?: return (.initramfs, "\(id)/initramfs", .kernel)
        case .file(RaspberryPiConfiguration.kernelName)?:
            return (.kernel, RaspberryPiConfiguration.kernelName, .kernel)
        case .file(RaspberryPiConfiguration.initramfsName)?:
            return (.initramfs, RaspberryPiConfiguration.initramfsName, .kernel)
        // PXELINUX's modules and a Raspberry Pi's many small files would hide the steps that matter.
        case .file(let name)?
        where name.hasSuffix(".c32") || name.hasSuffix(".txt") || name.hasSuffix(".dat")
            || name.hasSuffix(".dtb") || name.hasSuffix(".dtbo"):
            return nil
        case .file(let name)?: return (.loader, name, .loader)
        case .overlay?: return (.overlay, "overlay.cpio", .kernel)
        case .configuration?, nil: return nil
        }
    }
}
