import CLinux
import NetworkIO
import Synchronization
import Testing

/// Two computers on one wire: a server's namespace (10.77.0.1) and a client's (10.77.0.2 and .3), removed at the end.
final class TestNetwork: Sendable {
    /// The interface of the server.
    static let interface = "wire0"

    /// What the server's namespace is called.
    let server: String
    /// What the client's namespace is called.
    let client: String

    private static let made = Atomic(0)

    /// The client's hardware address.
    static let clientMAC = "52:54:00:77:00:01"

    /// Whether namespaces can be made.
    static var isPossible: Bool { geteuid() == 0 && NBDClientProgram.isThere("ip") }

    init() throws {
        let name = "dl-acc-\(getpid())-\(Self.made.add(1, ordering: .relaxed).newValue)"
        server = name + "s"
        client = name + "c"
        try Self.ip("netns add \(server)")
        try Self.ip("netns add \(client)")
        try Self.ip("-n \(server) link add \(Self.interface) type veth peer name \(Self.interface) netns \(client)")
        try Self.ip("-n \(client) link set \(Self.interface) address \(Self.clientMAC)")
        for (namespace, numbers) in [(server, [1]), (client, [2, 3])] {
            for number in numbers {
                try Self.ip("-n \(namespace) address add 10.77.0.\(number)/24 dev \(Self.interface)")
            }
            try Self.ip("-n \(namespace) link set lo up")
            try Self.ip("-n \(namespace) link set \(Self.interface) up")
        }
    }

    deinit {
        for namespace in [server, client] { try? Self.ip("netns delete \(namespace)") }
    }

    /// Runs `ip` outside every namespace: one that is made inside another would be seen there alone.
    static func ip(_ words: String) throws {
        let process = try NBDClientProgram.start(
            ["ip"] + words.split(separator: " ").map(String.init),
            log: "/dev/null"
        )
        var status: CInt = 0
        unsafe waitpid(process, &status, 0)
        try #require(status == 0, "ip \(words)")
    }

    /// A socket that `make` opens in a namespace; it stays there.
    static func socket<Socket: Sendable>(in namespace: String, _ make: @escaping @Sendable () throws -> Socket) throws
        -> Socket
    {
        // A thread of its own: the namespace of a thread is what its sockets are in.
        var done: [CInt] = [0, 0]
        try check("make a pipe", unsafe pipe(&done))
        let (reading, writing) = (done[0], done[1])
        defer { close(reading) }
        let box = ResultBox<Socket>()
        try WorkerThread.start("in-namespace") {
            box.set(
                Result {
                    let descriptor = unsafe clinux_open("/run/netns/\(namespace)", O_RDONLY | O_CLOEXEC, 0)
                    defer { close(descriptor) }
                    try check("enter \(namespace)", setns(descriptor, CLONE_NEWNET))
                    return try make()
                }
            )
            close(writing)
        }
        var byte: UInt8 = 0
        _ = unsafe read(reading, &byte, 1)
        return try #require(box.value).get()
    }
}

/// What a thread leaves for another.
private final class ResultBox<Value: Sendable>: Sendable {
    private let stored = Mutex<Result<Value, any Error>?>(nil)
    var value: Result<Value, any Error>? { stored.withLock(\.self) }
    func set(_ value: Result<Value, any Error>) { stored.withLock { $0 = value } }
}
