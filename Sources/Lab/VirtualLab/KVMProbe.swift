import CLinux

extension Accelerator {
    /// KVM when it really works here, else emulation.
    ///
    /// The device is not enough to know: some hosts offer a /dev/kvm whose nested guests run the firmware and then hang
    /// in the kernel. So a kernel is started once, and the answer is remembered for this host kernel and this QEMU.
    ///
    /// - Parameters:
    ///   - kernel: a kernel to try with; without one and without a remembered answer it is emulation.
    ///   - memory: the directory that remembers.
    public static func working(kernel: String?, memory: String = "/var/cache/diskless") -> Accelerator {
        guard unsafe access("/dev/kvm", R_OK | W_OK) == 0, let qemu = LabTool.qemuX86.path else { return .emulation }
        let file = "\(memory)/accelerator"
        let key = hostKey(qemu: qemu)
        if let known = remembered(file, key: key) { return known }
        guard let kernel else { return .emulation }
        let answer: Accelerator = boots(kernel, qemu: qemu) ? .kvm : .emulation
        remember(file, key: key, answer)
        return answer
    }

    /// A kernel without a root gets as far as its panic in about a second under KVM.
    private static func boots(_ kernel: String, qemu: String) -> Bool {
        let thread = LabThread()
        defer { thread.end() }
        let command = [
            qemu, "-M", "pc,graphics=off", "-accel", "kvm", "-cpu", "host", "-m", "512", "-nodefaults", "-display",
            "none",
            "-no-reboot", "-serial", "stdio", "-kernel", kernel, "-append", "console=ttyS0 panic=-1",
        ]
        guard let process = try? thread.run({ try LabProcess(command: command, output: Transcript()) }) else {
            return false
        }
        defer { process.stop(grace: .seconds(1)) }
        return (try? process.output.wait(for: "Kernel panic", limit: .seconds(8))) != nil
    }

    private static func hostKey(qemu: String) -> String {
        var host = utsname()
        unsafe uname(&host)
        let release = unsafe withUnsafeBytes(of: &host.release) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        var status = stat()
        unsafe stat(qemu, &status)
        return "\(release) qemu \(status.st_size).\(status.st_mtim.tv_sec)"
    }

    private static func remembered(_ file: String, key: String) -> Accelerator? {
        let descriptor = unsafe clinux_open(file, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
        guard lines.count == 2, lines[0] == key else { return nil }
        return Accelerator(rawValue: String(lines[1]))
    }

    private static func remember(_ file: String, key: String, _ answer: Accelerator) {
        try? makeDirectories(String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)]))
        let descriptor = unsafe clinux_open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let text = Array("\(key)\n\(answer.rawValue)\n".utf8)
        _ = unsafe text.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    }
}
