public import NetworkTypes

/// What a virtual machine starts with.
public enum MachineFirmware: String, CaseIterable, Sendable {
    /// SeaBIOS, whose network boot is the iPXE in the network card's ROM.
    case bios
    /// OVMF, PXE over IPv4 with its own network driver.
    case uefi
    /// OVMF, HTTP Boot over IPv4.
    case uefiHTTP = "uefi-http"
}

/// The network card of a virtual machine.
public struct NetworkCard: RawRepresentable, Hashable, Sendable {
    /// QEMU's name of the device.
    public let rawValue: String

    /// From QEMU's name of the device.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// virtio-net; the only one that Debian's cloud kernel drives.
    public static let virtio = NetworkCard(rawValue: "virtio-net-pci")
    /// Intel 82540EM.
    public static let e1000 = NetworkCard(rawValue: "e1000")
}

/// A computer without a disk, as a value: what QEMU is told.
public struct Machine: Sendable {
    /// For messages, logs and sockets; unique in its lab.
    public var name: String
    /// Its network card's address.
    public var mac: MACAddress
    /// What its firmware tells of itself (SMBIOS).
    public var uuid: MachineUUID?
    /// What it starts with.
    public var firmware: MachineFirmware
    /// Its memory in MiB.
    public var memory: Int
    /// How many processors it has.
    public var processors: Int
    /// Its network card.
    public var card: NetworkCard
    /// How its processor is made.
    public var accelerator: Accelerator
    /// Whether it starts again when it restarts itself; else a restart turns it off.
    public var restarts: Bool

    /// With the usual values for what is not named.
    public init(
        name: String,
        mac: MACAddress,
        uuid: MachineUUID? = nil,
        firmware: MachineFirmware = .bios,
        memory: Int = 1024,
        processors: Int = 2,
        card: NetworkCard = .virtio,
        accelerator: Accelerator = .emulation,
        restarts: Bool = false
    ) {
        (self.name, self.mac, self.uuid, self.firmware) = (name, mac, uuid, firmware)
        (self.memory, self.processors, self.card, self.accelerator) = (memory, processors, card, accelerator)
        self.restarts = restarts
    }
}

/// How a virtual machine's processor is made.
public enum Accelerator: String, Sendable {
    /// The processor of this computer, by KVM.
    case kvm
    /// Emulated in software (QEMU's TCG).
    case emulation = "tcg"
}

/// The files of OVMF, searched where distributions put them.
struct FirmwareFiles {
    let code: String
    let variables: String

    /// Debian and Ubuntu, then Fedora, then Arch.
    private static let known = [
        FirmwareFiles(code: "/usr/share/OVMF/OVMF_CODE_4M.fd", variables: "/usr/share/OVMF/OVMF_VARS_4M.fd"),
        FirmwareFiles(code: "/usr/share/OVMF/OVMF_CODE.fd", variables: "/usr/share/OVMF/OVMF_VARS.fd"),
        FirmwareFiles(code: "/usr/share/edk2/ovmf/OVMF_CODE.fd", variables: "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
        FirmwareFiles(code: "/usr/share/edk2/x64/OVMF_CODE.4m.fd", variables: "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    ]

    static func find() throws -> FirmwareFiles {
        guard let found = known.first(where: { isReadable($0.code) && isReadable($0.variables) }) else {
            throw LabError("no UEFI firmware for virtual machines is installed; on Debian: apt install ovmf")
        }
        return found
    }
}

extension Machine {
    /// QEMU's command line.
    func command(tap: String, control: String, variables: String) throws -> [String] {
        var words = [try LabTool.qemuX86.require(), "-name", name, "-accel", accelerator.rawValue, "-m", "\(memory)"]
        words += ["-smp", "\(processors)", "-nodefaults", "-display", "none", "-boot", "n"]
        if !restarts { words += ["-no-reboot"] }
        words += ["-serial", "stdio", "-monitor", "none", "-qmp", "unix:\(control),server=on,wait=off"]
        words += ["-netdev", "tap,id=net0,ifname=\(tap),script=no,downscript=no"]
        words += ["-device", "virtio-rng-pci"]
        if accelerator == .kvm { words += ["-cpu", "host"] }
        if let uuid { words += ["-uuid", "\(uuid)"] }
        let card = "\(card.rawValue),netdev=net0,id=nic0,mac=\(mac)"
        switch firmware {
        case .bios:
            // graphics=off makes SeaBIOS write to the serial line, and with it the iPXE of the card's ROM.
            words += ["-M", "pc,graphics=off", "-device", card]
        case .uefi, .uefiHTTP:
            let files = try FirmwareFiles.find()
            words += ["-M", "q35", "-device", "\(card),romfile="]
            words += ["-drive", "if=pflash,format=raw,unit=0,readonly=on,file=\(files.code)"]
            words += ["-drive", "if=pflash,format=raw,unit=1,file=\(variables)"]
            // OVMF tries PXE and HTTP over IPv4 and IPv6 in turn; what is not wanted is taken out.
            words += ["-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"]
            if firmware == .uefiHTTP { words += ["-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n"] }
        }
        return words
    }
}
