import CLinux
import NetworkIO

/// Network namespaces for tests: they belong to the thread that enters one and end with it.
enum OwnNamespace {
    /// Puts the calling thread into a new namespace whose `lo` is up with these addresses.
    static func enter(addresses: [String]) throws {
        try check("make a network namespace", unshare(CLONE_NEWNET))
        let commands = ["ip link set lo up"] + addresses.map { "ip address add \($0) dev lo" }
        let status = unsafe system(commands.joined(separator: " && "))
        guard status == 0 else { throw SystemCallError("configure lo", number: EINVAL) }
    }

    /// Whether something can be read before the limit has passed.
    static func isReadable(_ descriptor: FileDescriptor, within seconds: Int32) -> Bool {
        var waiting = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&waiting, 1, seconds * 1000) > 0
    }

    static var isRoot: Bool { geteuid() == 0 }
}
