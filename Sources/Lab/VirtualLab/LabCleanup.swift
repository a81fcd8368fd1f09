import CLinux

/// Removes what labs of processes that no longer run left behind: namespaces, programs in them, directories.
func removeStaleLabs() {
    for name in entries("/run/netns") where isStale(name) {
        let inside = (try? runHere("ip", "netns", "pids", name)) ?? ""
        for process in inside.split(whereSeparator: \.isNewline).compactMap({ Int32($0) }) { kill(process, SIGKILL) }
        _ = try? runHere("ip", "netns", "del", name)
    }
    for name in entries("/tmp") where isStale(name) { removeTree("/tmp/\(name)") }
}

/// Whether it is a lab's name, `diskless-lab-LABEL-PID-NUMBER[-HOST]`, of a process that is gone.
func isStale(_ name: String) -> Bool {
    guard name.hasPrefix(Lab.prefix) else { return false }
    let numbers = name.split(separator: "-").compactMap { Int32($0) }
    guard let process = numbers.first, process > 0 else { return false }
    return kill(process, 0) != 0 && clinux_errno() == ESRCH
}

/// The names in a directory; none when there is no such directory.
private func entries(_ path: String) -> [String] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}

/// What the signal handler writes to: the only thing it may do.
private let signalled = eventfd(0, Int32(EFD_CLOEXEC))
private let handled = Monitor((installed: false, signal: Int32(0)))
/// Which signal came; plain memory that the handler may write, read after the eventfd woke the reader.
nonisolated(unsafe) private var lastSignal: Int32 = 0

/// Closes all labs on Ctrl-C, SIGTERM and SIGHUP, then ends the process by the same signal.
func closeLabsOnSignals() {
    let first = handled.update { state in
        defer { state.installed = true }
        return !state.installed
    }
    guard first, signalled >= 0 else { return }
    startThread {
        var count: UInt64 = 0
        while unsafe read(signalled, &count, 8) < 0, clinux_errno() == EINTR {}
        for lab in openLabs.read(\.self) { lab.close() }
        let number = unsafe lastSignal
        clinux_default_signal(number)
        kill(getpid(), number)
    }
    for number in [SIGINT, SIGTERM, SIGHUP] {
        signal(number) { number in
            unsafe lastSignal = number
            var one: UInt64 = 1
            _ = unsafe write(signalled, &one, 8)
        }
    }
}
