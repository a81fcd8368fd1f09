import BlockStorage
import CLinux
import Logging
import NBD
import NBDServer
import NetworkTypes
import Synchronization

/// Exports by name, with a record of what the server told.
final class TestExports: NBDExportSource {
    struct Record {
        var exports: [String: NBDExport] = [:]
        var connected: [String] = []
        var disconnected: [(name: String, traffic: NBDTraffic)] = []
        var asked: [NBDExportPurpose] = []
        /// What was told of waits for room, and of the disk at the last one.
        var waiting: [String] = []
        var room = ""
    }
    let record = Mutex(Record())

    func open(_ name: String, purpose: NBDExportPurpose, peer: NBDPeer) throws(NBDExportRefusal) -> NBDExport {
        let export = record.withLock { record in
            record.asked.append(purpose)
            return record.exports[name]
        }
        guard let export else { throw NBDExportRefusal(.unknown, "there is no export '\(name)'") }
        return export
    }
    func list(peer: NBDPeer) -> [NBDListedExport] {
        record.withLock { $0.exports.keys.sorted().map { NBDListedExport(name: $0) } }
    }
    func connected(_ name: String, peer: NBDPeer) { record.withLock { $0.connected.append(name) } }
    func disconnected(_ name: String, peer: NBDPeer, traffic: NBDTraffic) {
        record.withLock { $0.disconnected.append((name, traffic)) }
    }
    func waitsForRoom(_ name: String, peer: NBDPeer, room: String) {
        record.withLock {
            $0.waiting.append("waits")
            $0.room = room
        }
    }
    func foundRoom(_ name: String, peer: NBDPeer, seconds: Int) { record.withLock { $0.waiting.append("goes on") } }
}

/// A server on a port of its own with a writable export "disk" of 8 MiB in a temporary file.
final class Fixture {
    static let size = 8 << 20
    /// Each word of four bytes differs from its neighbours; made once, since that is slow without optimization.
    static let pattern: [UInt8] = {
        let words = (0..<size / 4).map { UInt32(truncatingIfNeeded: $0 &* 2_654_435_761) }
        return unsafe words.withUnsafeBytes { unsafe Array($0) }
    }()
    let exports = TestExports()
    let server: NBDServer
    let storage: FileStorage
    let original: [UInt8]
    private let path: String

    init(limits: NBDServer.Limits = .init()) throws {
        var template = Array("/tmp/diskless-nbd-XXXXXX".utf8CString)
        let descriptor = unsafe mkstemp(&template)
        defer { close(descriptor) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let bytes = Self.pattern
        original = bytes
        guard unsafe write(descriptor, bytes, bytes.count) == bytes.count else { throw BlockError(clinux_errno()) }
        storage = try FileStorage(path: path, writable: true)
        var logger = Logger(label: "nbd")
        logger.logLevel = .critical
        server = try NBDServer(
            listen: Endpoint(IPv4Address(value: 0x7f00_0001), 0),
            source: exports,
            logger: logger,
            limits: limits
        )
        add("disk", NBDExport(storage, text: "a disk"))
        try server.start()
    }

    deinit {
        server.stop(seconds: 1)
        unsafe unlink(path)
    }

    func add(_ name: String, _ export: NBDExport) { exports.record.withLock { $0.exports[name] = export } }

    /// Cuts the file behind "disk" off.
    func truncate(to size: Int) throws {
        guard unsafe CLinux.truncate(path, size) == 0 else { throw BlockError(clinux_errno()) }
    }

    /// A copy-on-write layer over the disk, for the time of `body`.
    func withLayer(_ body: (CopyOnWriteStorage) throws -> Void) throws {
        var template = Array("/tmp/diskless-nbd-layer-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw BlockError(clinux_errno()) }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let layers = try CopyOnWriteLayers()
        defer {
            try? layers.remove(directory: directory)
            unsafe rmdir(directory)
        }
        try body(layers.open(directory: directory, over: storage, identity: "disk"))
    }

    func connect(_ name: String = "disk") throws -> TestClient {
        let client = try TestClient(server.endpoint)
        let answer = try client.open(name)
        guard answer.type == .acknowledged else { throw TestClient.Failure(what: answer.text) }
        return client
    }

    /// Waits until `condition` holds; false after ten seconds.
    func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<10_000 {
            if condition() { return true }
            usleep(1000)
        }
        return false
    }
}
