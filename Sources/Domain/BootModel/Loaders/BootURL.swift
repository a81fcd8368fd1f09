public import NetworkTypes

/// The URLs of the boot HTTP server.
public enum BootURL {
    /// The loader script of the machine with this hardware address.
    public static func script(for mac: MACAddress, server: ServerAddresses) -> String {
        base(server) + scriptPath(for: mac)
    }

    /// The path of that script.
    public static func scriptPath(for mac: MACAddress) -> String { "/boot/\(mac.dashed)/script.ipxe" }

    /// The file system image with everything a machine with UEFI HTTP Boot needs; the firmware goes by its ending.
    public static func image(for mac: MACAddress, server: ServerAddresses) -> String {
        base(server) + "/boot/\(mac.dashed)/boot.img"
    }

    /// A loader.
    public static func loader(_ name: String, server: ServerAddresses) -> String { base(server) + "/loaders/\(name)" }

    /// A file of an image version.
    public static func file(_ role: ImageFileRole, of image: ImageVersion, server: ServerAddresses) -> String {
        base(server) + "/" + BootPath.file(role, of: image)
    }

    /// Where a node reports how its boot goes; it adds `/up` and the like.
    public static func report(for mac: MACAddress, boot: BootIdentifier, server: ServerAddresses) -> String {
        base(server) + "/boot/\(mac.dashed)/\(boot)"
    }

    static func base(_ server: ServerAddresses) -> String { "http://\(server.address):\(server.httpPort)" }
}
