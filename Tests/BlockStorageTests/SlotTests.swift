import CLinux
import Synchronization
import Testing

@testable import BlockStorage

@Suite struct SlotTests {
    @Test func slotsAreTakenInOrderAndNeverAcrossAPageOfTheIndex() {
        var slots = FreeSlots(unused: 1000)
        #expect(slots.take(atMost: 64) == (1000, 24))
        #expect(slots.take(atMost: 64) == (1024, 64))
        #expect(slots.take(atMost: 1) == (1088, 1))
    }

    @Test func whatWasGivenBackGoesFirst() {
        var slots = FreeSlots(unused: 10, returned: [7, 3, 4])
        #expect(slots.take(atMost: 8) == (3, 2))
        slots.giveBack(3, count: 2)
        #expect(slots.take(atMost: 1) == (3, 1))
        #expect(slots.take(atMost: 8) == (4, 1))
        #expect(slots.take(atMost: 8) == (7, 1))
        #expect(slots.take(atMost: 2) == (10, 2))
        var atBorder = FreeSlots(unused: 2000, returned: [1022, 1023, 1024])
        #expect(atBorder.take(atMost: 8) == (1022, 2))
    }

    @Test func runsEndWhereSlotsAreNotInARow() throws {
        let table = try SlotTable(blockCount: 300)
        for (block, slot): (UInt64, UInt32) in [(130, 0), (131, 1), (132, 9), (133, 10), (200, 11)] {
            try table.makeRoom(for: block)
            table.set(block, slot: slot)
        }
        let expected: [(from: UInt64, slot: UInt32?, count: UInt64)] = [
            (0, nil, 130), (130, 0, 2), (131, 1, 1), (132, 9, 2), (134, nil, 66), (200, 11, 1), (201, nil, 99),
        ]
        for run in expected {
            let found = table.run(from: run.from, limit: 300 - run.from)
            #expect(found.slot == run.slot && found.count == run.count, "from block \(run.from)")
        }
        #expect(table.run(from: 0, limit: 7).count == 7)
    }

    /// A disk that stays full must not use up slots: there are only as many as blocks.
    @Test(arguments: [true, false])
    func writesThatFindNoRoomLeaveTheirSlots(dataIsFull: Bool) throws {
        let layer = PowerCutLayer(size: 64 * 4096)
        let isFull = Mutex(false)
        let full = FullFile(dataIsFull ? layer.data : layer.live) { isFull.withLock { $0 } }
        let bytes = pattern(64 * 4096)
        let storage = try CopyOnWriteStorage(
            base: MemoryStorage(bytes),
            data: dataIsFull ? full : layer.data,
            live: dataIsFull ? layer.live : full,
            committed: layer.committed,
            trust: .committed
        )
        try storage.put([1], at: 0)
        isFull.withLock { $0 = true }
        for attempt in 0..<200 {
            #expect(throws: BlockError(ENOSPC)) { try storage.put(pattern(8192), at: 4096 * (1 + attempt % 60)) }
        }
        isFull.withLock { $0 = false }
        #expect(try storage.bytes(at: 4096, 63 * 4096) == Array(bytes[4096...]))
        let all = pattern(64 * 4096, 5)
        try storage.put(all, at: 0)
        #expect(try storage.bytes(at: 0, all.count) == all)
        try storage.flush()
        #expect(try layer.open(MemoryStorage(bytes), .committed).bytes(at: 0, all.count) == all)
    }

    @Test func aLayerOfAnotherFormatIsRefusedByName() throws {
        let directory = try TemporaryDirectory()
        try writeFile(directory.path + "/header", Array("diskless copy-on-write layer 1\nkernel k\n".utf8))
        let failure = #expect(throws: BlockStorageOpenError.self) {
            try CopyOnWriteLayers(kernel: "k")
                .open(directory: directory.path, over: MemoryStorage(pattern(4096)), identity: "b")
        }
        #expect(failure?.reason.contains("layer 1") == true)
    }
}

/// A file on a disk that is full at times.
private final class FullFile: LayerFile {
    let file: PowerCutFile
    let isFull: @Sendable () -> Bool
    init(_ file: PowerCutFile, _ isFull: @escaping @Sendable () -> Bool) {
        self.file = file
        self.isFull = isFull
    }
    var plainDescriptor: CInt? { nil }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe try file.read(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        if isFull() { throw BlockError(ENOSPC) }
        unsafe try file.write(bytes, at: offset)
    }
    func sync() throws(BlockError) { try file.sync() }
    func zero(at offset: UInt64, length: UInt64, keepsSpace: Bool) throws(BlockError) {
        try file.zero(at: offset, length: length, keepsSpace: keepsSpace)
    }
    func extents(at offset: UInt64, length: UInt64, limit: Int) -> [BlockExtent] {
        file.extents(at: offset, length: length, limit: limit)
    }
}
