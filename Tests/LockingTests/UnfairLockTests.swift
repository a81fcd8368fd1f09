import Locking
import Testing

@Suite struct UnfairLockTests {
    private struct Refused: Error, Equatable { var at: Int }

    @Test func noThreadSeesAnotherOnesWorkHalfDone() async {
        let pair = UnfairLock((left: 0, right: 0))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<20_000 {
                        pair.withLock {
                            $0.left += 1
                            $0.right -= 1
                        }
                        #expect(pair.withLock { $0.left + $0.right } == 0)
                    }
                }
            }
        }
        #expect(pair.withLock { $0.left } == 160_000)
    }

    @Test func anErrorLeavesItOpen() throws {
        let lock = UnfairLock(1)
        #expect(throws: Refused(at: 2)) {
            try lock.withLock { value throws(Refused) in
                value = 2
                throw Refused(at: value)
            }
        }
        #expect(lock.withLock { $0 } == 2)
    }
}
