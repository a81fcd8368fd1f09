import NetworkTypes
import Testing

@testable import BootModel

@Suite struct BootTrackerTests {
    private let mac = MACAddress(value: 1)
    private let node = NodeName(unknown: MACAddress(value: 1))

    /// What a machine does, second by second, and the number of the boot that each step belongs to.
    private func boots(_ steps: [(second: Int64, progress: Boot.Progress)]) -> [Int] {
        var tracker = BootTracker()
        var count: UInt64 = 0
        var numbers: [BootIdentifier: Int] = [:]
        return steps.map { step in
            let result = tracker.reached(step.progress, node: node, mac: mac, now: Timestamp(seconds: step.second)) {
                count += 1
                return BootIdentifier(random: 0, count)
            }
            let number = numbers[result.boot.id] ?? numbers.count + 1
            numbers[result.boot.id] = number
            return number
        }
    }

    @Test func oneBootFromFirmwareToLogin() {
        let steps: [(Int64, Boot.Progress)] = [
            (0, .firmware), (1, .firmware), (2, .loader), (4, .loaderRuns), (5, .loaderRuns), (6, .script),
            (7, .kernel),
            (8, .initramfs), (9, .root), (20, .up),
        ]
        #expect(boots(steps) == Array(repeating: 1, count: 10))
    }

    @Test func aMachineThatStartsOverBeginsANewBoot() {
        #expect(
            boots([(0, .firmware), (1, .loader), (2, .loaderRuns), (3, .script), (60, .firmware)]) == [1, 1, 1, 1, 2]
        )
        #expect(
            boots([(0, .loaderRuns), (1, .script), (2, .kernel), (30, .up), (90, .loaderRuns)]) == [1, 1, 1, 1, 2]
        )
        #expect(boots([(0, .script), (1, .kernel), (5, .root), (60, .script)]) == [1, 1, 1, 2])
    }

    @Test func firmwareThatGoesOnAskingIsOneBootForTwoMinutes() {
        #expect(boots([(0, .firmware), (4, .firmware), (119, .firmware), (121, .firmware)]) == [1, 1, 1, 2])
    }

    @Test func aLateRetransmissionDoesNotEndABoot() {
        // iPXE's DISCOVER is seen again after its REQUEST; the kernel is fetched again after an error.
        #expect(
            boots([(0, .loaderRuns), (0, .loaderRuns), (1, .script), (2, .kernel), (3, .kernel)]) == [1, 1, 1, 1, 1]
        )
    }

    @Test func goesOnWithTheNewestKnownBootAfterARestart() {
        let old = Boot(
            id: BootIdentifier(random: 0, 1),
            node: node,
            mac: mac,
            started: Timestamp(seconds: 1),
            progress: .up
        )
        let new = Boot(
            id: BootIdentifier(random: 0, 2),
            node: node,
            mac: mac,
            started: Timestamp(seconds: 2),
            progress: .root
        )
        var tracker = BootTracker(restoring: [new, old])
        let step = tracker.reached(.up, node: node, mac: mac, now: Timestamp(seconds: 9)) {
            BootIdentifier(random: 0, 3)
        }
        #expect(step.boot.id == new.id)
        #expect(!step.isNew)
        #expect(step.boot.up == Timestamp(seconds: 9))
    }

    @Test func aNodeThatIsRenamedGoesOnWithItsBoot() throws {
        let new = try NodeName(validating: "renamed")
        var tracker = BootTracker()
        var count: UInt64 = 0
        func reach(_ progress: Boot.Progress, _ node: NodeName) -> Boot {
            let step = tracker.reached(progress, node: node, mac: mac, now: Timestamp(seconds: 1)) {
                count += 1
                return BootIdentifier(random: 0, count)
            }
            return step.boot
        }
        let boot = reach(.script, node)
        #expect(reach(.root, new).id == boot.id)
        #expect(reach(.up, new).id == boot.id)
        #expect(reach(.firmware, new).node == new)
    }

    @Test func madeUpMachinesDoNotPushOutRunningOnes() {
        var tracker = BootTracker()
        var count: UInt64 = 0
        func reach(_ progress: Boot.Progress, _ mac: UInt64, at second: Int64) {
            let mac = MACAddress(value: mac)
            _ = tracker.reached(progress, node: NodeName(unknown: mac), mac: mac, now: Timestamp(seconds: second)) {
                count += 1
                return BootIdentifier(random: 0, count)
            }
        }
        for mac in 1...10 { reach(.up, UInt64(mac), at: 0) }
        for mac in 11...(3 * BootTracker.limit) { reach(.firmware, UInt64(mac), at: Int64(mac)) }
        let kept = (1...(3 * BootTracker.limit)).count { tracker.boot(of: MACAddress(value: UInt64($0))) != nil }
        #expect(kept <= BootTracker.limit)
        for mac in 1...10 { #expect(tracker.boot(of: MACAddress(value: UInt64(mac))) != nil) }
        #expect(tracker.boot(of: MACAddress(value: UInt64(3 * BootTracker.limit))) != nil, "the newest is kept")
    }
}
