public import NetworkTypes

/// What a loader asks for by a file name, over TFTP.
///
/// Loaders search: each has an order of names for its configuration, and takes the first that is there.
public enum BootFileRequest: Hashable, Sendable {
    /// The configuration of a loader.
    case configuration(LoaderProgram, of: Asker)
    /// A file of an image version, by its name.
    case image(ImageVersionID, file: String)
    /// A boot's overlay archive.
    case overlay(MACAddress, BootIdentifier)
    /// The initramfs archives of an image version in a boot, as one file.
    case joinedInitramfs(MACAddress, BootIdentifier, ImageVersionID)
    /// A loader, or a file of a Raspberry Pi's firmware.
    case file(String)

    /// How the name tells whose configuration is asked for.
    public enum Asker: Hashable, Sendable {
        /// By hardware address.
        case mac(MACAddress)
        /// By machine UUID.
        case uuid(MachineUUID)
        /// By address.
        case address(IPv4Address)
        /// Not at all: the machine that asks.
        case itself
    }

    /// What the cleaned parts of a file name ask for; nil for a name that is only searched for and never there.
    public init?(_ parts: [String]) {
        let parts = Self.withoutPrefix(parts)
        guard let last = parts.last else { return nil }
        switch (parts.first, parts.count) {
        case ("images"?, 4):
            guard let version = ImageVersionID("\(parts[1])@\(parts[2])") else { return nil }
            self = .image(version, file: last)
        case ("boot"?, 4):
            guard let mac = MACAddress(parts[1]), let boot = BootIdentifier(parts[2]) else { return nil }
            switch last {
            case "overlay.cpio": self = .overlay(mac, boot)
            case _ where last.hasPrefix("initramfs-"):
                guard let version = ImageVersionID(String(last.dropFirst(10))) else { return nil }
                self = .joinedInitramfs(mac, boot, version)
            default: return nil
            }
        case ("grub"?, 2) where last == "grub.cfg": self = .configuration(.grub, of: .itself)
        case ("grub"?, 2) where last.hasPrefix("grub.cfg-"):
            guard let asker = Asker(String(last.dropFirst(9))) else { return nil }
            self = .configuration(.grub, of: asker)
        case _ where parts.count >= 2 && parts[parts.count - 2] == "pxelinux.cfg":
            // U-Boot asks default-arm-bcm283x-rpi and shorter ones before default.
            guard let asker = last == "default" || last.hasPrefix("default-") ? .itself : Asker(last) else {
                return nil
            }
            self = .configuration(.pxelinux, of: asker)
        default: self = .file(parts.joined(separator: "/"))
        }
    }

    /// A Raspberry Pi asks first below its serial number or its hardware address (TFTP_PREFIX), and in the end plainly.
    private static func withoutPrefix(_ parts: [String]) -> [String] {
        guard parts.count > 1, let first = parts.first else { return parts }
        let isSerial = first.utf8.count == 8 && first.allSatisfy(\.isHexDigit)
        let isMAC = first.utf8.count == 17 && first.contains("-") && MACAddress(first) != nil
        return isSerial || isMAC ? Array(parts.dropFirst()) : parts
    }
}

extension BootFileRequest.Asker {
    /// From what stands behind `grub.cfg-` or in `pxelinux.cfg/`: `01-` and a hardware address, a hardware address, a
    /// UUID, or an address as eight hexadecimal digits; nil for the shorter ones, which name networks.
    init?(_ text: String) {
        // GRUB's own variable has colons; the hardware type stands before them or not (GRUB manual, PXELINUX).
        let bare = text.hasPrefix("01-") || text.hasPrefix("01:") ? String(text.dropFirst(3)) : text
        if bare.utf8.count == 17, let mac = MACAddress(bare) {
            self = .mac(mac)
        } else if let uuid = MachineUUID(text) {
            self = .uuid(uuid)
        } else if text.utf8.count == 8, let value = UInt32(text, radix: 16) {
            self = .address(IPv4Address(value: value))
        } else {
            return nil
        }
    }
}
