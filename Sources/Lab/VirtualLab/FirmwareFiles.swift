/// The files of OVMF and AAVMF, searched where distributions put them.
struct FirmwareFiles {
    let code: String
    let variables: String

    /// Debian and Ubuntu, then Fedora, then Arch.
    private static let x64 = [
        FirmwareFiles(code: "/usr/share/OVMF/OVMF_CODE_4M.fd", variables: "/usr/share/OVMF/OVMF_VARS_4M.fd"),
        FirmwareFiles(code: "/usr/share/OVMF/OVMF_CODE.fd", variables: "/usr/share/OVMF/OVMF_VARS.fd"),
        FirmwareFiles(code: "/usr/share/edk2/ovmf/OVMF_CODE.fd", variables: "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
        FirmwareFiles(code: "/usr/share/edk2/x64/OVMF_CODE.4m.fd", variables: "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    ]

    /// With Microsoft's keys enrolled, so that Secure Boot is on: Debian and Ubuntu, then Fedora.
    private static let secure = [
        FirmwareFiles(code: "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", variables: "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"),
        FirmwareFiles(
            code: "/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd",
            variables: "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd"
        ),
    ]

    /// Debian and Ubuntu, then Fedora.
    private static let arm64 = [
        FirmwareFiles(code: "/usr/share/AAVMF/AAVMF_CODE.fd", variables: "/usr/share/AAVMF/AAVMF_VARS.fd"),
        FirmwareFiles(
            code: "/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw",
            variables: "/usr/share/edk2/aarch64/vars-template-pflash.raw"
        ),
    ]

    static func find(for firmware: MachineFirmware) throws -> FirmwareFiles {
        let known = firmware.isARM ? arm64 : firmware.isSecure ? secure : x64
        guard let found = known.first(where: { isReadable($0.code) && isReadable($0.variables) }) else {
            let package = firmware.isARM ? "qemu-efi-aarch64" : "ovmf"
            let what = firmware.isSecure ? "UEFI firmware with Secure Boot" : "UEFI firmware"
            throw LabError("no \(what) for virtual machines is installed; on Debian: apt install \(package)")
        }
        return found
    }
}
