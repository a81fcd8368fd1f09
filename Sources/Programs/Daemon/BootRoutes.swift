import BootModel
import CLinux
import HTTP1
import HTTPServer
import Logging
import NetworkIO
import NetworkTypes

/// What the boot HTTP server has: scripts, loaders, the files of image versions, and an ear for nodes' reports.
struct BootRoutes: HTTPHandler {
    let boots: BootService
    let catalog: any ImageCatalog
    let loaders: LoaderFiles
    let peers: PeerDirectory
    let configurations: BootConfigurations
    let overlay: @Sendable (MACAddress, BootIdentifier, IPv4Address) -> [UInt8]?
    var agents: AgentRoutes?
    let clock: any Clock
    let logger: Logger
    private let files = OpenFiles()

    /// The files of image versions, which are the same for everybody; the rest may have to be made, or wait for the disk.
    func respondAtOnce(to request: HTTPRequest) -> HTTPResponse? {
        request.path.components.first == "images" ? respond(to: request) : nil
    }

    var openFiles: OpenFiles? { files }

    func wantsReport(of head: HTTPRequestHead) -> Bool { head.method == .get && Self.kind(of: head.path) != nil }

    func respond(to request: HTTPRequest) -> HTTPResponse {
        let parts = request.path.components
        switch (parts.first, parts.count) {
        case ("boot"?, 3) where parts[2] == "script.ipxe": return script(request, mac: parts[1])
        case ("boot"?, 3) where parts[2] == "boot.img": return bootImage(request, mac: parts[1])
        case ("boot"?, 4) where parts[3] == "overlay.cpio": return overlay(request, mac: parts[1], boot: parts[2])
        case ("boot"?, 4) where parts[3] == "mounts": return mounts(request, mac: parts[1], boot: parts[2])
        case ("boot"?, 4): return report(request, mac: parts[1], boot: parts[2], event: parts[3])
        case ("loaders"?, 2...3): return loader(request, parts.dropFirst().joined(separator: "/"))
        case ("images"?, 4): return imageFile(request, name: parts[1], number: parts[2], file: parts[3])
        case ("node"?, _): return agents?.respond(to: request) ?? notFound(request)
        case (nil, _): return .text(.ok, "diskless boots computers that have no disk. Machines ask here by themselves.")
        default: return notFound(request)
        }
    }

    func finished(_ report: HTTPReport) {
        guard report.request.method == .get, case .network(let peer) = report.request.peer,
            let kind = Self.kind(of: report.request.path), report.status == .ok || report.status == .partialContent,
            let mac = peers.mac(of: peer.address)
        else { return }
        let parts = report.request.path.components
        var event = BootEvent(
            time: clock.now(),
            node: boots.identify(NodeRequest(mac: mac, stage: .ipxe([]))).node.name,
            mac: mac,
            kind: kind.event,
            address: peer.address,
            file: parts.first == "images" ? "\(parts[1])@\(parts[2])/\(parts[3])" : parts.last,
            bytes: Int64(clamping: report.bytes),
            seconds: report.seconds
        )
        guard report.isComplete else {
            event.kind = .aborted
            event.detail = "the client closed the connection"
            return boots.record(event, reached: nil)
        }
        boots.record(event, reached: kind.progress)
    }

    /// Which step of a boot a fetched path is; nil for what is no step.
    private static func kind(of path: HTTPPath) -> (event: BootEvent.Kind, progress: Boot.Progress?)? {
        let parts = path.components
        switch (parts.first, parts.count, parts.last) {
        case ("loaders"?, 2...3, _): return (.loader, .loader)
        case ("boot"?, 3, "boot.img"?): return (.loader, .kernel)
        case ("boot"?, 4, "overlay.cpio"?): return (.overlay, .kernel)
        case ("images"?, 4, "kernel"?): return (.kernel, .kernel)
        case ("images"?, 4, "initramfs"?): return (.initramfs, .kernel)
        default: return nil
        }
    }

    // MARK: Scripts

    private func script(_ request: HTTPRequest, mac text: String) -> HTTPResponse {
        if let refused = refuse(request, unless: [.get, .head]) { return refused }
        guard let mac = MACAddress(text), let local = request.local, case .network(let peer) = request.peer else {
            return notFound(request)
        }
        let result = configurations.plan(
            BootConfigurations.Question(
                mac: mac,
                stage: .ipxe([.http, .bzImage, .efi]),
                peer: peer.address,
                local: local.address,
                begins: request.method == .get
            )
        )
        switch result {
        case .success(let plan): return .text(.ok, plan.script)
        case .failure(let refusal): return .text(.ok, refusal.script)
        }
    }

    /// Everything in one file, for UEFI HTTP Boot; the firmware asks for its size first, which begins the boot.
    private func bootImage(_ request: HTTPRequest, mac text: String) -> HTTPResponse {
        if let refused = refuse(request, unless: [.get, .head]) { return refused }
        guard let mac = MACAddress(text), let local = request.local, case .network(let peer) = request.peer else {
            return notFound(request)
        }
        let result = configurations.plan(
            BootConfigurations.Question(mac: mac, stage: .loader(.image), peer: peer.address, local: local.address)
        )
        do {
            let plan = try result.get()
            let overlay = { boots.boot(of: mac).flatMap { self.overlay(mac, $0.id, peer.address) } }
            let pieces = try BootImage(loaders: loaders, catalog: catalog).pieces(plan, overlay: overlay)
            return .pieces(pieces, type: "application/vnd.efi-img")
        } catch let refusal as BootRefusal {
            return .text(.notFound, refusal.reason)
        } catch {
            logger.error("cannot make the boot image", metadata: ["mac": "\(mac)", "error": "\(error)"])
            return .text(.internalServerError, "the server cannot make this image")
        }
    }

    // MARK: Files

    private func loader(_ request: HTTPRequest, _ name: String) -> HTTPResponse {
        if let refused = refuse(request, unless: [.get, .head]) { return refused }
        let path: String
        do {
            guard let found = try loaders.path(of: name, server: request.local?.address) else {
                return notFound(request)
            }
            path = found
        } catch {
            logger.error("cannot make a loader", metadata: ["loader": "\(name)", "error": "\(error)"])
            return .text(.internalServerError, "the server cannot make this loader")
        }
        // UEFI HTTP Boot goes by the media type or the ending of the name.
        let type = name.hasSuffix(".efi") ? "application/efi" : "application/octet-stream"
        var response = file("loaders\(path)", request, type: type) { (path, nil) }
        // What is made depends on the address that was asked.
        response.isForAnyone = false
        return response
    }

    private func imageFile(_ request: HTTPRequest, name: String, number: String, file: String) -> HTTPResponse {
        if let refused = refuse(request, unless: [.get, .head]) { return refused }
        return self.file("images/\(name)/\(number)/\(file)", request, type: "application/octet-stream") {
            guard let id = ImageVersionID("\(name)@\(number)"), let version = try? catalog.resolve(.version(id)),
                let role = version.files.first(where: { $0.value.name == file })?.key,
                let path = try? catalog.path(of: role, in: id)
            else { return nil }
            return (path, version.files[role].map { "\"\($0.sha256)\"" })
        }
    }

    private struct NoSuchFile: Error {}

    /// A file that `find` knows by its path and tag, kept open under `key` for the next who asks.
    private func file(
        _ key: String,
        _ request: HTTPRequest,
        type: String,
        find: () -> (path: String, tag: String?)?
    ) -> HTTPResponse {
        do {
            let file = try files.file(key) {
                guard let found = find() else { throw NoSuchFile() }
                return try Self.open(found.path, tag: found.tag, type: type)
            }
            var response = HTTPResponse.file(file)
            response.isForAnyone = true
            return response
        } catch is NoSuchFile {
            return notFound(request)
        } catch {
            logger.error("cannot send a file", metadata: ["file": "\(key)", "error": "\(error)"])
            return .text(.internalServerError, "the server cannot read this file")
        }
    }

    private static func open(_ path: String, tag: String?, type: String) throws -> HTTPFile {
        let descriptor = try FileDescriptor("open \(path)", unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0))
        var status = stat()
        try check("read the size of \(path)", unsafe fstat(descriptor.number, &status))
        let size = UInt64(clamping: status.st_size)
        let tag = tag ?? "\"\(status.st_ino)-\(size)-\(status.st_mtim.tv_sec)\""
        var file = HTTPFile(descriptor, size: size, tag: tag, modified: status.st_mtim.tv_sec)
        file.type = type
        return file
    }

    func notFound(_ request: HTTPRequest) -> HTTPResponse {
        logger.debug("HTTP: no \(request.head.target)", metadata: ["peer": "\(request.peer)"])
        return .text(.notFound, "there is nothing of that name here")
    }

    /// The answer to a method that a resource does not take; nil when it takes it.
    func refuse(_ request: HTTPRequest, unless methods: [HTTPMethod]) -> HTTPResponse? {
        guard !methods.contains(request.method) else { return nil }
        let allowed = methods.map(\.rawValue).joined(separator: ", ")
        var response = HTTPResponse.text(.methodNotAllowed, "use \(allowed)")
        response.fields.append(HTTPField("Allow", allowed))
        return response
    }

    // MARK: Reports

    /// The longest reason that a node's report may give, in bytes.
    private static let reasonLimit = 4000

    private static let reports: [String: (BootEvent.Kind, Boot.Progress?)] = [
        "initramfs": (.initramfsStarted, .initramfs), "root": (.rootMounted, .root), "up": (.up, .up),
        "failed": (.failed, nil),
    ]

    private func report(_ request: HTTPRequest, mac: String, boot: String, event name: String) -> HTTPResponse {
        if let refused = refuse(request, unless: [.post]) { return refused }
        guard let mac = MACAddress(mac), let id = BootIdentifier(boot), let (kind, progress) = Self.reports[name] else {
            return notFound(request)
        }
        // The identifier was told to this boot alone: nobody else can speak for it, and a boot that is over is over.
        guard let boot = boots.boot(of: mac), boot.id == id, case .network(let peer) = request.peer else {
            return .text(.forbidden, "this boot is not under way")
        }
        var event = BootEvent(time: clock.now(), node: boot.node, mac: mac, kind: kind, address: peer.address)
        if kind == .up { event.seconds = event.time.seconds(since: boot.started) }
        let text = String(decoding: request.body.prefix(Self.reasonLimit), as: UTF8.self)
        let printable = text.filter {
            $0.isNewline || !($0.unicodeScalars.first?.properties.generalCategory == .control)
        }
        if !printable.isEmpty { event.detail = printable.trimmed }
        boots.record(event, reached: progress)
        return HTTPResponse(.noContent)
    }
}

extension String {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
