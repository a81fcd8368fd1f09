/// Whether programs of another processor can run here, as a build runs the packages' own scripts.
enum ForeignArchitecture {
    /// Throws the line that says what is missing; `binfmt` is where the kernel lists its interpreters.
    static func check(_ architecture: String, binfmt: String = "/proc/sys/fs/binfmt_misc") throws(BuildError) {
        guard !native.contains(architecture) else { return }
        let emulator = architecture == "arm64" ? "qemu-aarch64" : "qemu-arm"
        guard HostFile.text(binfmt + "/" + emulator)?.hasPrefix("enabled") != true else { return }
        throw .usage(
            "--arch \(architecture): this machine cannot run programs for \(architecture): "
                + "apt install qemu-user-static binfmt-support"
        )
    }

    /// The architectures that run here as they are: the one this program was made for.
    static var native: [String] {
        #if arch(x86_64)
        ["amd64"]
        #elseif arch(arm64)
        ["arm64"]
        #elseif arch(arm)
        ["armhf"]
        #else
        []
        #endif
    }
}
