import BlockStorage
import CLinux
import NBD
import NBDServer
import Synchronization
import Testing

/// A small file system of its own, filled up.
private final class FullDisk {
    let path: String
    private var filler: String { path + "/filler" }

    init(size: String) throws {
        var template = Array("/tmp/diskless-nbd-full-XXXXXX".utf8CString)
        try #require(unsafe mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try #require(unsafe mount("tmpfs", path, "tmpfs", 0, "size=\(size)") == 0, "mounting a tmpfs takes root")
    }

    deinit {
        unsafe umount2(path, CInt(MNT_DETACH))
        unsafe rmdir(path)
    }

    /// A file without any block.
    func sparse(_ name: String, _ size: Int) throws -> String {
        let file = "\(path)/\(name)"
        let descriptor = unsafe clinux_open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        try #require(descriptor >= 0 && ftruncate(descriptor, size) == 0)
        return file
    }

    /// Somebody else takes all that is left.
    func fill() throws {
        let descriptor = unsafe clinux_open(filler, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        let block = [UInt8](repeating: 1, count: 4096)
        while unsafe write(descriptor, block, block.count) > 0 {}
        try #require(clinux_errno() == ENOSPC)
    }

    func makeRoom() { unsafe unlink(filler) }
}

/// Exports of nodes whose server's disk is full.
@Suite(.timeLimit(.minutes(5))) struct FullDiskTests {
    let fixture: Fixture
    private let disk: FullDisk
    init() throws {
        fixture = try Fixture()
        disk = try FullDisk(size: "2m")
    }

    private func addVolume(onlySession: String? = nil) throws {
        let storage = try FileStorage(path: disk.sparse("volume", 1 << 20), writable: true)
        fixture.add("volume", NBDExport(storage, onlySession: onlySession, waitsForRoomAt: disk.path + "/volume"))
    }

    private func write(_ cookie: UInt64, _ offset: Int, _ data: [UInt8], _ flags: NBDCommandFlags = []) -> [UInt8] {
        NBDRequest(.write, flags: flags, cookie: cookie, offset: UInt64(offset), length: UInt64(data.count)).encoded
            + data
    }

    private var waits: [String] { fixture.exports.record.withLock { $0.waiting } }
    private var isWaiting: Bool { fixture.eventually { waits.last == "waits" } }

    /// Below and above the length that passes through the buffer in pieces, and made durable.
    @Test(arguments: [4096, 600_000]) func aWriteWaitsAndIsDoneThen(length: Int) throws {
        try addVolume()
        let client = try fixture.connect("volume")
        #expect(try client.write(0, [1, 2, 3]) == .none)
        try disk.fill()
        let data = Array(fixture.original[..<length])
        try client.send(write(7, 65536, data, .forceUnitAccess))
        try #require(isWaiting)
        #expect(fixture.exports.record.withLock { $0.room }.contains("\(disk.path) has 0 bytes free of 2.0 MiB"))
        let other = try fixture.connect()
        #expect(try other.write(0, [9]) == .none)
        #expect(try other.read(0, 1) == [9], "others are served")
        try other.request(NBDRequest(.flush, cookie: 3))
        #expect(try other.reply().error == .none)
        disk.makeRoom()
        let reply = try client.reply()
        #expect(reply.cookie == 7 && reply.error == .none)
        #expect(try client.read(65536, length) == data)
        #expect(waits == ["waits", "goes on"])
    }

    @Test func zerosWait() throws {
        try addVolume()
        let client = try fixture.connect("volume")
        try disk.fill()
        try client.request(NBDRequest(.writeZeroes, flags: .noHole, cookie: 8, offset: 0, length: 8192))
        try #require(isWaiting)
        disk.makeRoom()
        #expect(try client.reply().error == .none)
    }

    /// Some of them have room, in blocks that the layer has; those are answered.
    @Test func writesThatArrivedTogetherWaitInALayer() throws {
        let layers = try CopyOnWriteLayers()
        let layer = try layers.open(directory: disk.path + "/layer", over: fixture.storage, identity: "disk")
        fixture.add("layer", NBDExport(layer, waitsForRoomAt: disk.path + "/layer"))
        let client = try fixture.connect("layer")
        for block in 0..<4 { #expect(try client.write(block * 4096, .init(repeating: 1, count: 4096)) == .none) }
        try disk.fill()
        try client.send(
            (0..<40).flatMap { write(UInt64($0), $0 * 4096, .init(repeating: UInt8(50 + $0), count: 4096)) }
        )
        for index in 0..<4 {
            let reply = try client.reply()
            #expect(reply.cookie == UInt64(index) && reply.error == .none)
        }
        try #require(isWaiting)
        disk.makeRoom()
        for index in 4..<40 {
            let reply = try client.reply()
            #expect(reply.cookie == UInt64(index) && reply.error == .none)
        }
        try client.request(NBDRequest(.flush, cookie: 99))
        #expect(try client.reply().error == .none)
        for index in 0..<40 {
            #expect(try client.read(index * 4096, 4096) == .init(repeating: UInt8(50 + index), count: 4096))
        }
        #expect(try client.read(40 * 4096, 4096) == Array(fixture.original[40 * 4096..<41 * 4096]))
    }

    /// The index of a layer that a flush writes may find no room; what comes behind the flush is served meanwhile.
    @Test func aFlushWaits() throws {
        let isFull = Atomic32(1)
        let faulty = FaultInjectionStorage(fixture.storage) { $0 == .flush && isFull.value == 1 ? ENOSPC : nil }
        fixture.add("faulty", NBDExport(faulty, waitsForRoomAt: disk.path))
        let client = try fixture.connect("faulty")
        try client.request(NBDRequest(.flush, cookie: 5))
        try #require(isWaiting)
        #expect(try client.write(0, [1, 2]) == .none)
        #expect(try client.read(0, 2) == [1, 2])
        isFull.value = 0
        let reply = try client.reply()
        #expect(reply.cookie == 5 && reply.error == .none)
    }

    /// Nobody is answered: a client that loses its connection sends the same on the next one.
    @Test(arguments: [false, true]) func stoppingEndsTheWait(ofAFlush: Bool) throws {
        try addVolume()
        let faulty = FaultInjectionStorage(fixture.storage) { $0 == .flush ? ENOSPC : nil }
        fixture.add("faulty", NBDExport(faulty, waitsForRoomAt: disk.path))
        let client = try fixture.connect(ofAFlush ? "faulty" : "volume")
        try disk.fill()
        try client.send(
            ofAFlush ? NBDRequest(.flush, cookie: 5).encoded : write(5, 0, .init(repeating: 1, count: 4096))
        )
        try #require(isWaiting)
        let seconds = ContinuousClock().measure { fixture.server.stop(seconds: 60) }
        #expect(seconds < .seconds(30), "not by the limit")
        #expect(throws: (any Error).self) { try client.reply() }
    }

    @Test func theNextSessionEndsTheWaitAndWaitsItself() throws {
        try addVolume(onlySession: "node")
        let old = try fixture.connect("volume")
        try disk.fill()
        try old.send(write(5, 0, .init(repeating: 1, count: 4096)))
        try #require(isWaiting)
        let new = try fixture.connect("volume")
        #expect(throws: (any Error).self) { try old.reply() }
        try new.send(write(6, 0, .init(repeating: 2, count: 4096)))
        disk.makeRoom()
        #expect(try new.reply().error == .none)
        #expect(try new.read(0, 2) == [2, 2])
        #expect(waits == ["waits", "goes on"], "one wait, told once")
    }

    @Test(arguments: [false, true]) func aClientThatLeavesEndsTheWait(saysGoodbye: Bool) throws {
        let faulty = FaultInjectionStorage(fixture.storage) { _ in ENOSPC }
        fixture.add("faulty", NBDExport(faulty, waitsForRoomAt: disk.path))
        let client = try fixture.connect("faulty")
        if saysGoodbye {
            try client.request(NBDRequest(.flush, cookie: 5))
            try client.request(NBDRequest(.disconnect, cookie: 6))
            #expect(throws: (any Error).self) { try client.reply() }
        } else {
            try client.send(write(5, 0, .init(repeating: 1, count: 4096)))
            try #require(isWaiting)
            client.vanish()
        }
        #expect(fixture.eventually { fixture.server.connectionCount == 0 })
    }
}
