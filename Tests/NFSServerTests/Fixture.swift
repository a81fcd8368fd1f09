import CLinux
import FileTree
import Logging
import NFS3
import NFSServer
import NetworkTypes
import Testing
import XDR

/// A server on a port of its own with a temporary directory; needs root, as the server does.
final class Fixture {
    static let isPossible = geteuid() == 0
    let directory: String
    let server: NFSServer
    let tree: FileTree
    let client: TestClient
    let root: NFS3FileHandle

    init(
        isWritable: Bool = true,
        squash: SquashRule = SquashRule(.none),
        limits: NFSServer.Limits = .init(),
        isForOneClient: Bool = false,
        hasAccessLists: Bool = true
    ) throws {
        directory = try Self.temporaryDirectory()
        (server, tree) = try Self.serve(
            directory,
            isWritable: isWritable,
            squash: squash,
            limits: limits,
            isForOneClient: isForOneClient,
            hasAccessLists: hasAccessLists
        )
        client = try TestClient(server.endpoint)
        root = try Self.mount(client, directory)
    }

    deinit {
        server.stop(seconds: 1)
        Self.removeAll(directory)
    }

    static func temporaryDirectory() throws -> String {
        var template = Array("/tmp/diskless-nfs-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw TestClient.Failure(what: "mkdtemp") }
        unsafe chmod(template, 0o755)
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func serve(
        _ directory: String,
        isWritable: Bool = true,
        squash: SquashRule = SquashRule(.none),
        limits: NFSServer.Limits = .init(),
        journal: String? = nil,
        isForOneClient: Bool = false,
        hasAccessLists: Bool = true
    ) throws -> (NFSServer, FileTree) {
        let key = try #require(HandleKey(bytes: Array(0..<16)))
        let cache = ObjectCache(capacity: 256)
        let tree = try FileTree(path: directory, identity: key.identity(ofPath: directory), key: key, cache: cache)
        var logger = Logger(label: "nfs")
        logger.logLevel = .critical
        let export = NFSExport(
            path: directory,
            tree: tree,
            isWritable: isWritable,
            squash: squash,
            isForOneClient: isForOneClient,
            hasAccessLists: hasAccessLists
        )
        let server = try NFSServer(
            listen: Endpoint(IPv4Address(value: 0x7f00_0001), 0),
            source: FixedNFSExports([export]),
            cache: cache,
            logger: logger,
            limits: limits,
            journal: journal
        )
        try server.start()
        return (server, tree)
    }

    static func mount(_ client: TestClient, _ path: String) throws -> NFS3FileHandle {
        let bytes = try client.results(Mount3.program, Mount3.version, 1) { $0.writeOpaque(Array(path.utf8)) }
        var reader = unsafe XDRReader(bytes.span.bytes)
        guard try reader.readUInt32() == 0 else { throw TestClient.Failure(what: "mount \(bytes)") }
        return try NFS3FileHandle(decoding: &reader)
    }

    /// Removes a directory of a test, two levels deep at most below its own.
    static func removeAll(_ directory: String) {
        for _ in 0..<3 {
            for path in list(directory) + list(directory).flatMap({ list($0) }) {
                if unsafe unlink(path) != 0 { _ = unsafe rmdir(path) }
            }
        }
        _ = unsafe rmdir(directory)
    }

    private static func list(_ directory: String) -> [String] {
        guard let stream = unsafe opendir(directory) else { return [] }
        defer { unsafe closedir(stream) }
        var paths: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { paths.append("\(directory)/\(name)") }
        }
        return paths
    }
}
