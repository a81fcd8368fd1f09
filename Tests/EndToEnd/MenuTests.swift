import Foundation
import Testing
import VirtualLab

/// One boot menu on every loader: shown, an entry chosen by keys, the default taken when nobody chooses.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct MenuMatrixTests {
    /// A loader on a firmware.
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var firmware: MachineFirmware
        var loader: String
        var testDescription: String { name }
    }

    static let rows: [Row] = [
        Row(name: "menu-bios-ipxe", firmware: .bios, loader: "auto"),
        Row(name: "menu-bios-grub", firmware: .bios, loader: "grub"),
        Row(name: "menu-bios-pxelinux", firmware: .bios, loader: "pxelinux"),
        Row(name: "menu-uefi-grub", firmware: .uefi, loader: "grub"),
    ]

    static var chosen: [Row] {
        let names = Set(Repository.whole(rows.map(\.name)))
        return rows.filter { names.contains($0.name) }
    }

    /// The key that goes one entry down, as terminals send it.
    private static let down = "\u{1b}[B"

    @Test(.timeLimit(.minutes(25)), arguments: chosen)
    func keysChooseAndTimeChoosesTheDefault(row: Row) throws {
        let lab = try EndToEndLab(row.name, images: [.ram])
        defer { lab.lab.close() }
        try lab.server.addVersion(of: .ram)
        let folder = try FileManager.default.contentsOfDirectory(atPath: "\(lab.server.state)/images/e2e")
        let new = try #require(folder.compactMap { Int($0) }.max())
        let (usual, other) = ("e2e@\(new - 1)", "e2e@\(new)")
        let titles = [usual, other, "local disk", "memory test"]
        func apply(timeout: Int) throws {
            try lab.server.apply(
                """
                nodes:
                  - name: mona
                    mac: ["\(EndToEndLab.mac(1))"]
                    image: \(usual)
                    loader: \(row.loader)
                    kernel-arguments: ["\(row.firmware.consoleArgument)"]
                    menu: {timeout: \(timeout), default: \(usual), entries: [\(usual), \(other), local-disk, memtest]}
                """
            )
        }
        let mona = try lab.node("mona", number: 1, firmware: row.firmware)
        func waitForMenu() throws {
            for title in titles { try mona.console.wait(for: title, limit: .seconds(180)) }
        }

        // Nobody chooses.
        try apply(timeout: 5)
        try mona.machine.powerOn()
        try waitForMenu()
        try mona.console.wait(for: "Linux version", limit: .seconds(240))
        var boot = try lab.server.boot(of: "mona")
        #expect(boot.kernel == usual)
        #expect(boot.events?.contains { $0.kind == "script" && $0.text.contains("menu") } == true)
        #expect(try #require(boot.time(of: "kernel")) - #require(boot.time(of: "script")) >= 4, "it waits")

        // A key chooses the second entry.
        try apply(timeout: 120)
        try mona.machine.powerCycle()
        try waitForMenu()
        mona.machine.type(Self.down)
        mona.machine.type("\r")
        try mona.login()
        #expect(try mona.run("cat /proc/cmdline").contains("/\(other) "))
        #expect(try mona.run("cat /version-two") == "2")
        boot = try lab.server.boot(of: "mona")
        #expect(boot.kernel == other)

        // The last entry: firmware that knows no more than to start a program.
        let watch = try lab.server.watch()
        try mona.machine.powerCycle()
        try waitForMenu()
        for _ in 0..<3 { mona.machine.type(Self.down) }
        mona.machine.type("\r")
        try watch.output.wait(for: "memtest86+x64", limit: .seconds(120))
    }
}

extension BootLine {
    /// The image whose kernel was sent last: "sent the kernel of IMAGE, SIZE in TIME".
    fileprivate var kernel: String? {
        events?.last { $0.kind == "kernel" }
            .map { String($0.text.dropFirst("sent the kernel of ".count).prefix { $0 != "," }) }
    }

    /// Seconds since the boot's beginning of the first event of a kind.
    fileprivate func time(of kind: String) -> Double? { events?.first { $0.kind == kind }?.offset }
}
