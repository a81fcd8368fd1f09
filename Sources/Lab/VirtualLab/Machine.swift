public import NetworkTypes

/// What a virtual machine starts with.
public enum MachineFirmware: String, CaseIterable, Sendable {
    /// SeaBIOS, whose network boot is the iPXE in the network card's ROM.
    case bios
    /// OVMF, PXE over IPv4 with its own network driver.
    case uefi
    /// OVMF, HTTP Boot over IPv4.
    case uefiHTTP = "uefi-http"
    /// OVMF with Secure Boot on and Microsoft's keys, PXE over IPv4.
    case secureBoot = "secureboot"
    /// The same with HTTP Boot.
    case secureBootHTTP = "secureboot-http"
    /// AAVMF on 64-bit ARM, PXE over IPv4.
    case arm64
    /// The same with HTTP Boot.
    case arm64HTTP = "arm64-http"

    /// Whether it is a machine with ARM processors.
    public var isARM: Bool { self == .arm64 || self == .arm64HTTP }
    /// Whether it boots by UEFI HTTP Boot.
    public var isHTTP: Bool { [.uefiHTTP, .secureBootHTTP, .arm64HTTP].contains(self) }
    /// Whether Secure Boot is on.
    public var isSecure: Bool { self == .secureBoot || self == .secureBootHTTP }
    /// The kernel argument that makes the machine's serial line its console.
    public var consoleArgument: String { isARM ? "console=ttyAMA0" : "console=ttyS0,115200" }
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

extension Machine {
    /// QEMU's command line.
    func command(tap: String, control: String, variables: String) throws -> [String] {
        let qemu = try (firmware.isARM ? LabTool.qemuARM : LabTool.qemuX86).require()
        var words = [qemu, "-name", name, "-accel", accelerator.rawValue, "-m", "\(memory)"]
        words += ["-smp", "\(processors)", "-nodefaults", "-display", "none", "-boot", "n"]
        if !restarts { words += ["-no-reboot"] }
        words += ["-serial", "stdio", "-monitor", "none", "-qmp", "unix:\(control),server=on,wait=off"]
        words += ["-netdev", "tap,id=net0,ifname=\(tap),script=no,downscript=no"]
        words += ["-device", "virtio-rng-pci"]
        if accelerator == .kvm {
            words += ["-cpu", "host"]
        } else if firmware.isARM {
            words += ["-cpu", "cortex-a57"]
        }
        if let uuid { words += ["-uuid", "\(uuid)"] }
        return try words + board(variables: variables)
    }

    /// The board with its firmware and its network card.
    private func board(variables: String) throws -> [String] {
        let device = "\(card.rawValue),netdev=net0,id=nic0,mac=\(mac)"
        // graphics=off makes SeaBIOS write to the serial line, and with it the iPXE of the card's ROM.
        if firmware == .bios { return ["-M", "pc,graphics=off", "-device", device] }
        let files = try FirmwareFiles.find(for: firmware)
        var words: [String]
        if firmware.isARM {
            words = ["-M", "virt,gic-version=2"]
        } else if firmware.isSecure {
            words = ["-M", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"]
        } else {
            words = ["-M", "q35"]
        }
        // OVMF drives virtio cards itself; for others it needs the driver in the card's ROM.
        words += ["-device", card == .virtio ? "\(device),romfile=" : device]
        words += ["-drive", "if=pflash,format=raw,unit=0,readonly=on,file=\(files.code)"]
        words += ["-drive", "if=pflash,format=raw,unit=1,file=\(variables)"]
        // The firmware tries PXE and HTTP over IPv4 and IPv6 in turn; what is not wanted is taken out.
        words += ["-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"]
        if firmware.isHTTP { words += ["-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n"] }
        return words
    }
}
