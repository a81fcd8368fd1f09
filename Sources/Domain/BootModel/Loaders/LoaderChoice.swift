import NetworkTypes

/// Which loader a firmware gets, and what a loader that runs already gets.
struct LoaderChoice {
    /// What the asking program fetches next; nil when it needs nothing named.
    var bootFile: BootFile?
    /// The program that will fetch the boot's configuration; nil when none will.
    var program: LoaderProgram?
    /// Why, one sentence.
    var reason: String

    /// What a choice depends on.
    struct Question {
        var request: NodeRequest
        var setting: Sourced<LoaderPreference>
        var addressing: NodeAddressing
        var server: ServerAddresses
        /// The loaders that are installed or can be made, by name.
        var loaders: Set<String>
        /// Files of the user's that cannot be what they are named as.
        var problems: [String: String] = [:]
        /// Whether this boot was sent a loader already.
        var hasLoader: Bool
    }

    /// The choice for a request.
    ///
    /// Throws a `BootRefusal` that says what is missing.
    static func choose(_ question: Question) throws(BootRefusal) -> LoaderChoice {
        let request = question.request
        if request.stage == .system {
            return LoaderChoice(reason: "no boot file: an operating system asks")
        }
        if case .loader(let program) = request.stage {
            return LoaderChoice(
                bootFile: configuration(of: program, question),
                program: program,
                reason: "\(program.words) runs: it gets its configuration"
            )
        }
        if question.setting.value == .none {
            return LoaderChoice(reason: "no boot file: loader none (\(question.setting.source)), it starts what it has")
        }
        if let pi = request.raspberryPi {
            return LoaderChoice(
                // Its firmware fetches by names of its own; this one tells others that there is something to boot.
                bootFile: .tftp("bootcode.bin"),
                program: .raspberryPi,
                reason: "\(pi.words): its firmware fetches config.txt and what that names by TFTP"
            )
        }
        if request.architecture?.isUBoot == true {
            return LoaderChoice(
                bootFile: .tftp(LoaderName.pxelinux),
                program: .uboot,
                reason: "U-Boot: it reads pxelinux.cfg/ by TFTP (pxe get)"
            )
        }
        if case .ipxe(let features) = request.stage, features.canBootLinux, let choice = running(question) {
            return choice
        }
        return try question.wanted()
    }

    /// Where a loader finds its configuration.
    private static func configuration(of program: LoaderProgram, _ question: Question) -> BootFile {
        let mac = question.request.mac
        switch program {
        case .ipxe: return .http(BootURL.script(for: mac, server: question.server))
        case .grub, .shim: return .tftp("grub/grub.cfg")
        case .image: return .http(BootURL.image(for: mac, server: question.server))
        case .pxelinux, .uboot: return .tftp("pxelinux.cfg/01-\(mac.dashed)")
        case .raspberryPi: return .tftp("config.txt")
        }
    }

    /// What an iPXE that runs and can boot Linux gets; nil when another loader is to take its place.
    private static func running(_ question: Question) -> LoaderChoice? {
        let script = BootFile.http(BootURL.script(for: question.request.mac, server: question.server))
        switch question.setting.value {
        case .auto:
            return LoaderChoice(bootFile: script, program: .ipxe, reason: "iPXE runs already: it gets the script")
        case .ipxe where question.hasLoader:
            return LoaderChoice(bootFile: script, program: .ipxe, reason: "our iPXE runs: it gets the script")
        case .ipxe where !question.ipxe.contains(where: question.isThere):
            return LoaderChoice(
                bootFile: script,
                program: .ipxe,
                reason: "iPXE runs already, and none of ours is installed to take its place: it gets the script"
            )
        case .shim where question.platform == .bios, .pxelinux where question.platform != .bios:
            // These settings say nothing for such a machine: as with auto.
            return LoaderChoice(
                bootFile: script,
                program: .ipxe,
                reason: "iPXE runs already (loader \(question.setting.value.rawValue) is not for"
                    + " \(question.words)): it gets the script"
            )
        default: return nil
        }
    }
}

extension LoaderChoice.Question {
    /// The machines that have loaders of their own kind.
    enum Platform: Equatable {
        case bios, x64, arm64
    }

    /// Which kind asks; nil when there is no loader for it.
    var platform: Platform? {
        switch request.architecture {
        case nil, .bios?, .biosHTTP?: .bios
        case .x64EFI?, .efiByteCode?, .x64HTTP?: .x64
        case .arm64EFI?, .arm64HTTP?: .arm64
        default: nil
        }
    }

    var words: String { request.architecture?.words ?? "firmware that names no architecture" }

    /// Whether the program that asks fetches by HTTP.
    private var isHTTP: Bool { request.stage == .firmwareHTTP || request.architecture?.isHTTP == true }

    /// Whether a loader is installed, can be made, or was meant to be there.
    func isThere(_ name: String) -> Bool { loaders.contains(name) || problems[name] != nil }

    /// What is wrong with the first of the user's own among `names` up to the one that would be sent: whoever put a file
    /// there does not want another one in its stead.
    private func checkOwn(_ names: [String]) throws(BootRefusal) {
        guard let name = names.first(where: isThere), let problem = problems[name] else { return }
        throw BootRefusal(problem)
    }

    /// The iPXE files that would do, the best first.
    var ipxe: [String] {
        switch platform {
        case .bios: ["undionly.kpxe", "ipxe.pxe"]
        // snponly drives the card through the firmware that has just booted from it, so it works wherever PXE did.
        case .x64: ["snponly.efi", "ipxe.efi"]
        case .arm64: ["snponly-arm64.efi", "ipxe-arm64.efi"]
        case nil: []
        }
    }

    private var grub: [String] {
        switch platform {
        case .bios: [LoaderName.grubBIOS]
        case .x64: [isHTTP ? LoaderName.grubX64HTTP : LoaderName.grubX64]
        case .arm64: [isHTTP ? LoaderName.grubARM64HTTP : LoaderName.grubARM64]
        case nil: []
        }
    }

    /// The loader for the setting and the firmware.
    func wanted() throws(BootRefusal) -> LoaderChoice {
        guard let platform else {
            throw BootRefusal("there is no loader for \(words): it cannot boot from this server")
        }
        switch (setting.value, platform) {
        case (.grub, _):
            return try first(
                of: grub,
                .grub,
                "install \(grubPackages), or put one into the state directory's loaders folder"
            )
        case (.pxelinux, .bios):
            return try first(of: [LoaderName.pxelinux], .pxelinux, "install the packages pxelinux and syslinux-common")
        case (.shim, .x64), (.shim, .arm64): return try shim(platform)
        case (.ipxe, _):
            return try first(
                of: ipxe,
                .ipxe,
                "install the package ipxe, or put one into the state directory's loaders folder"
            )
        case (.auto, _), (.pxelinux, _), (.shim, .bios), (.none, _): return try usual()
        }
    }

    /// iPXE, else GRUB.
    private func usual() throws(BootRefusal) -> LoaderChoice {
        if !ipxe.contains(where: isThere), let name = grub.first(where: loaders.contains) {
            return choice(name, .grub, "\(name): no iPXE for \(words) is installed")
        }
        let why = setting.value == .auto ? "" : " (loader \(setting.value.rawValue) is not for it)"
        return try first(
            of: ipxe,
            .ipxe,
            "install the package ipxe, or put one into the state directory's loaders folder",
            because: why
        )
    }

    private var grubPackages: String {
        switch platform {
        case .bios: "the packages grub-common and grub-pc-bin"
        case .arm64: "GRUB for arm64 with 'diskless loader fetch arm64'"
        default: "the packages grub-common and grub-efi-amd64-bin"
        }
    }

    private func first(
        of names: [String],
        _ program: LoaderProgram,
        _ mend: String,
        because: String = ""
    ) throws(BootRefusal) -> LoaderChoice {
        try checkOwn(names)
        guard let name = names.first(where: loaders.contains) else {
            throw BootRefusal(
                "no loader for \(request.architecture?.words ?? "this machine") is installed"
                    + " (\(names.joined(separator: " or "))): \(mend)"
            )
        }
        return choice(name, program, "\(name): the loader for \(words)\(because)")
    }

    private func choice(_ name: String, _ program: LoaderProgram, _ reason: String) -> LoaderChoice {
        LoaderChoice(
            bootFile: isHTTP ? .http(BootURL.loader(name, server: server)) : .tftp(name),
            program: program,
            reason: reason + (setting.value == .auto ? "" : ", loader \(setting.value.rawValue) (\(setting.source))")
        )
    }

    /// Shim and signed GRUB: by TFTP where GRUB finds us again, in one file system image over HTTP.
    private func shim(_ platform: Platform) throws(BootRefusal) -> LoaderChoice {
        let isARM = platform == .arm64
        let name = isARM ? LoaderName.shimARM64 : LoaderName.shimX64
        let network = isARM ? LoaderName.shimGRUBARM64 : LoaderName.shimGRUBX64
        let disk = isARM ? LoaderName.shimDiskGRUBARM64 : LoaderName.shimDiskGRUBX64
        let mend =
            isARM
            ? "get shim and GRUB for arm64 with 'diskless loader fetch arm64'"
            : "install the packages shim-signed and grub-efi-amd64-signed"
        func require(_ names: [String]) throws(BootRefusal) {
            for name in names { try checkOwn([name]) }
            let missing = names.filter { !loaders.contains($0) }
            if missing.isEmpty { return }
            throw BootRefusal("Secure Boot on \(words) needs \(missing.joined(separator: " and ")): \(mend)")
        }
        let asked = "loader shim (\(setting.source))"
        if isHTTP {
            try require([name, disk])
            // Debian's signed network GRUB has no address after HTTP Boot, and stops at its prompt.
            return LoaderChoice(
                bootFile: .http(BootURL.image(for: request.mac, server: server)),
                program: .image,
                reason: "one file with shim, signed GRUB, kernel and initramfs, \(asked): after HTTP Boot this GRUB has"
                    + " no network"
            )
        }
        guard addressing != .foreign else {
            throw BootRefusal(
                "\(asked) cannot boot by PXE beside another DHCP server, where signed GRUB asks that one for its files:"
                    + " set the firmware to UEFI HTTP Boot, or use dhcp: full, or loader ipxe without Secure Boot"
            )
        }
        try require([name, network])
        return LoaderChoice(bootFile: .tftp(name), program: .shim, reason: "\(name): signed for Secure Boot, \(asked)")
    }
}
