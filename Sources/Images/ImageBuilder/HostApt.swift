internal import CLinux

/// What this machine's apt is told: its sources, and what it needs to reach them.
enum HostApt {
    /// The sources in `root` (`/etc/apt`), in the order apt reads them.
    static func sources(in root: String = "/etc/apt") -> [AptSource] {
        var sources: [AptSource] = []
        if let text = HostFile.text(root + "/sources.list") { sources += AptSourceList.oneLine(text) }
        for name in HostFile.names(in: root + "/sources.list.d") {
            guard let text = HostFile.text(root + "/sources.list.d/" + name) else { continue }
            if name.hasSuffix(".list") { sources += AptSourceList.oneLine(text) }
            if name.hasSuffix(".sources") { sources += AptSourceList.deb822(text) }
        }
        return sources
    }

    /// The codename of the Debian release that this machine runs; nil on other distributions.
    static func codename(osRelease: String? = HostFile.text("/etc/os-release")) -> String? {
        var fields: [Substring: String] = [:]
        for line in (osRelease ?? "").split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            fields[line[..<equals]] = line[line.index(after: equals)...].filter { $0 != "\"" && $0 != "'" }
        }
        guard fields["ID"] == "debian" else { return nil }
        return fields["VERSION_CODENAME"] ?? "sid"
    }

    /// Of `apt-config dump`, the lines that say how to reach an archive: proxies, certificates, retries.
    static func transport(dump: String) -> [String] {
        dump.split(separator: "\n").map(String.init).filter { line in
            let name = line.prefix { $0 != " " }.lowercased()
            guard line.hasSuffix(";"), !line.hasSuffix(" \"\";") else { return false }
            if name == "acquire::retries" { return true }
            guard name.hasPrefix("acquire::http::") || name.hasPrefix("acquire::https::") else { return false }
            return ["proxy", "cainfo", "capath", "verify-peer", "verify-host", "sslcert", "sslkey", "timeout"]
                .contains { name.split(separator: ":").dropFirst(2).first.map(String.init) == $0 }
        }
    }
}

/// Small files of this machine.
enum HostFile {
    /// A file's text, up to 1 MiB; nil when it cannot be read.
    static func text(_ path: String) -> String? {
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            if count < 0, clinux_errno() == EINTR { continue }
            if count <= 0 { break }
            done += count
        }
        return String(decoding: bytes[..<done], as: UTF8.self)
    }

    /// The names in a directory in the order of their text, without hidden ones.
    static func names(in path: String) -> [String] {
        guard let stream = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// Writes a whole new file.
    static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws(BuildError) {
        // A package's own link, such as the one for /etc/resolv.conf, is replaced and not followed out of the tree.
        unsafe unlink(path)
        let descriptor = unsafe clinux_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw .system(action: "write", path: path, code: clinux_errno()) }
        defer { close(descriptor) }
        fchmod(descriptor, mode)
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe CLinux.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            if count < 0, clinux_errno() == EINTR { continue }
            guard count > 0 else { throw .system(action: "write", path: path, code: clinux_errno()) }
            done += count
        }
    }
}
