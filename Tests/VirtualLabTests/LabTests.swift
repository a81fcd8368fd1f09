import CLinux
import NetworkTypes
import Testing

@testable import VirtualLab

private func canMakeLabs() -> Bool { labObstacle(tools: [.ip, .setpriv]) == nil || inContinuousIntegration }
private let inContinuousIntegration = unsafe getenv("CI") != nil

@Suite(.serialized, .enabled(if: canMakeLabs(), "no root, or iproute2 or qemu-system-x86 is missing"))
struct LabTests {
    @Test func hostsReachEachOther() throws {
        let lab = try Lab("test")
        defer { lab.close() }
        let client = try lab.host("client", address: IPv4Address("10.77.0.9"))
        let listener = try lab.server.start(["python3", "-u", "-c", pythonEcho])
        try listener.output.wait(for: "ready", limit: .seconds(20))
        let answer = try client.run(["python3", "-c", pythonAsk])
        #expect(answer.contains("hello 10.77.0.9"))
    }

    @Test func closingLeavesNothing() throws {
        let lab = try Lab("test")
        let process = try lab.server.start(["sleep", "600"])
        let (name, directory) = (lab.server.namespace, lab.directory)
        #expect(unsafe access("/run/netns/\(name)", F_OK) == 0)
        lab.close()
        #expect(!process.isRunning)
        #expect(unsafe access("/run/netns/\(name)", F_OK) != 0)
        #expect(unsafe access(directory, F_OK) != 0)
        #expect(kill(process.id, 0) != 0)
    }

    @Test func aFailedCommandSaysWhatItSaid() throws {
        let lab = try Lab("test")
        defer { lab.close() }
        let error = #expect(throws: LabError.self) { try lab.server.run(["ip", "link", "show", "nothing"]) }
        #expect(error?.description.contains("does not exist") == true)
    }

    @Test func namesOfDeadProcessesAreStale() {
        #expect(isStale("diskless-lab-test-2147483600-1"))
        #expect(isStale("diskless-lab-test-2147483600-1-client"))
        #expect(!isStale("diskless-lab-test-\(getpid())-1"))
        #expect(!isStale("somebody-elses-1"))
    }

    @Test(
        .enabled(if: labObstacle() == nil || inContinuousIntegration, "qemu-system-x86 is missing"),
        .timeLimit(.minutes(5))
    )
    func aMachineTalksAndObeys() throws {
        let lab = try Lab("test")
        defer { lab.close() }
        let mac = try #require(MACAddress("52:54:00:4d:45:47"))
        let machine = try lab.machine(Machine(name: "megane", mac: mac, memory: 256, processors: 1))
        try machine.powerOn()
        try machine.console.wait(for: "SeaBIOS", limit: .seconds(60))
        try machine.pause()
        try machine.resume()
        try machine.unplug()
        try machine.plug()
        try machine.cutLinkSilently()
        try machine.mendLink()
        machine.powerOff()
        #expect(!machine.isOn)
        #expect(machine.console.hasEnded)
    }
}

private let pythonEcho = """
    import socket
    s = socket.create_server(('10.77.0.1', 7777)); print('ready')
    c, a = s.accept(); c.sendall(('hello ' + a[0]).encode()); c.close()
    """
private let pythonAsk = """
    import socket
    print(socket.create_connection(('10.77.0.1', 7777), 10).recv(99).decode())
    """
