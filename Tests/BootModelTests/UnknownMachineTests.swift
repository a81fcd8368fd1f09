import BootModel
import NetworkTypes
import Testing

@Suite struct UnknownMachineTests {
    private static func mac(_ number: UInt64) throws -> MACAddress {
        try #require(MACAddress(bytes: (0..<6).map { UInt8(truncatingIfNeeded: number >> (40 - 8 * $0)) }))
    }

    private static func firmware(_ number: UInt64, _ vendorClass: String? = "PXEClient") throws -> NodeRequest {
        NodeRequest(mac: try mac(number), architecture: .bios, stage: .firmware, vendorClass: vendorClass)
    }

    private static func moment(_ seconds: Int64) -> Timestamp { Timestamp(seconds: seconds) }

    @Test func theFirmwaresWordsStay() throws {
        var machines = UnknownMachines()
        let first = machines.note(try Self.firmware(1, "PXEClient:Arch:00007"), now: Self.moment(1))
        #expect(first)
        let loader = NodeRequest(mac: try Self.mac(1), architecture: .bios, stage: .ipxe([]), vendorClass: "iPXE")
        let second = machines.note(loader, now: Self.moment(5))
        #expect(second)
        let machine = try #require(machines.all.first)
        #expect(machine.vendorClass == "PXEClient:Arch:00007")
        #expect(machine.requests == 2)
        #expect(machine.firstSeen == Self.moment(1) && machine.lastSeen == Self.moment(5))
    }

    @Test func whatIsNoBootIsNotNoted() throws {
        var machines = UnknownMachines()
        let laptop = NodeRequest(mac: try Self.mac(1), stage: .system, vendorClass: "systemd")
        let third = machines.note(laptop, now: Self.moment(1))
        #expect(!third)
        let fourth = machines.note(NodeRequest(mac: try Self.mac(2), stage: .ipxe([])), now: Self.moment(1))
        #expect(!fourth)
        #expect(machines.all.isEmpty)
    }

    @Test func madeUpAddressesPushOutEachOther() throws {
        var machines = UnknownMachines()
        for second in 1...4 { _ = machines.note(try Self.firmware(0xFFFF), now: Self.moment(Int64(second))) }
        for number in 0..<1100 {
            _ = machines.note(try Self.firmware(UInt64(number)), now: Self.moment(Int64(10 + number)))
        }
        #expect((UnknownMachines.limit - 32...UnknownMachines.limit).contains(machines.all.count))
        #expect(machines.all.contains { $0.mac.value == 0xFFFF }, "a machine that asks again and again stays")
        let kept = UnknownMachines(machines.all)
        #expect(kept.all == machines.all)
    }

    @Test func namesFromTheWireStayOnTheirLine() throws {
        var machines = UnknownMachines()
        _ = machines.note(
            try Self.firmware(1, "a\n\u{1B}[2J" + String(repeating: "x", count: 300)),
            now: Self.moment(1)
        )
        let text = try #require(machines.all.first?.vendorClass)
        #expect(text.hasPrefix("a??[2Jxxx"))
        #expect(text.count == 64)
    }

    /// Made up after the bootloader's documentation: the letters, the revision, the address' end, the serial number.
    @Test func aRaspberryPiTellsItsBoard() throws {
        let mac = try #require(MACAddress("dc:a6:32:01:02:03"))
        let uuid = MachineUUID(
            bytes: Array("RPi4".utf8) + [0x11, 0x31, 0xC0, 0x00, 0x03, 0x02, 0x01, 0x32, 0x78, 0x56, 0x34, 0x12]
        )
        var machines = UnknownMachines()
        let request = NodeRequest(
            mac: mac,
            uuid: uuid,
            architecture: .bios,
            stage: .firmware,
            vendorClass: "PXEClient:Arch:00000:UNDI:002001"
        )
        _ = machines.note(request, now: Self.moment(1))
        _ = machines.note(try Self.firmware(2), now: Self.moment(0))
        #expect(machines.all.map(\.words) == ["Raspberry Pi 4, revision c03111, serial 12345678", "x86 BIOS"])
    }
}
