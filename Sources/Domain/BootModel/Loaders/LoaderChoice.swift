public import NetworkTypes

/// Which loader a firmware gets, and what a loader that runs already gets.
enum LoaderChoice {
    /// The boot file for `request`, and why; nil for a request that comes after the loader.
    static func bootFile(
        for request: NodeRequest,
        server: ServerAddresses,
        loaders: Set<String>
    ) throws(BootRefusal) -> (BootFile?, String) {
        switch request.stage {
        case .system:
            return (nil, "no boot file: an operating system asks")
        case .ipxe(let features) where features.canBootLinux:
            return (.http(BootURL.script(for: request.mac, server: server)), "iPXE runs already: it gets the script")
        case .ipxe, .firmware, .firmwareHTTP:
            // An iPXE without HTTP or Linux support is replaced by ours, as any other firmware.
            let wanted = try candidates(for: request)
            guard let loader = wanted.first(where: loaders.contains) else {
                throw BootRefusal(
                    "no loader for \(request.architecture?.words ?? "this machine") is installed"
                        + " (\(wanted.joined(separator: " or "))): install the package ipxe, or put one into the state"
                        + " directory's loaders folder"
                )
            }
            let why =
                "\(loader): the loader for \(request.architecture?.words ?? "firmware that names no architecture")"
            let isHTTP = request.stage == .firmwareHTTP || request.architecture?.isHTTP == true
            return (isHTTP ? .http(BootURL.loader(loader, server: server)) : .tftp(loader), why)
        }
    }

    /// The loaders that would do, the best first.
    private static func candidates(for request: NodeRequest) throws(BootRefusal) -> [String] {
        switch request.architecture {
        case nil, .bios?, .biosHTTP?: return ["undionly.kpxe", "ipxe.pxe"]
        // snponly drives the card through the firmware that has just booted from it, so it works wherever PXE did.
        case .x64EFI?, .efiByteCode?, .x64HTTP?: return ["snponly.efi", "ipxe.efi"]
        case .arm64EFI?, .arm64HTTP?: return ["snponly-arm64.efi", "ipxe-arm64.efi"]
        case let other?: throw BootRefusal("there is no loader for \(other.words): it cannot boot from this server")
        }
    }
}

/// The URLs of the boot HTTP server.
public enum BootURL {
    /// The loader script of the machine with this hardware address.
    public static func script(for mac: MACAddress, server: ServerAddresses) -> String {
        base(server) + scriptPath(for: mac)
    }

    /// The path of that script.
    public static func scriptPath(for mac: MACAddress) -> String { "/boot/\(mac.dashed)/script.ipxe" }

    /// A loader.
    public static func loader(_ name: String, server: ServerAddresses) -> String { base(server) + "/loaders/\(name)" }

    /// A file of an image version.
    public static func file(_ role: ImageFileRole, of image: ImageVersion, server: ServerAddresses) -> String {
        let name = image.files[role]?.name ?? role.rawValue
        return base(server) + "/images/\(image.id.name)/\(image.id.number)/\(name)"
    }

    /// Where a node reports how its boot goes; it adds `/up` and the like.
    public static func report(for mac: MACAddress, boot: BootIdentifier, server: ServerAddresses) -> String {
        base(server) + "/boot/\(mac.dashed)/\(boot)"
    }

    private static func base(_ server: ServerAddresses) -> String { "http://\(server.address):\(server.httpPort)" }
}
