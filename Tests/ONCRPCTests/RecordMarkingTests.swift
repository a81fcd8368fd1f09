import ONCRPC
import Testing

@Suite("Record marking (RFC 5531, section 11)")
struct RecordMarkingTests {
    private func next(_ bytes: [UInt8], limit: Int = 100) -> (step: RecordMarking.Step, memory: [UInt8]) {
        var bytes = bytes
        let step = unsafe bytes.withUnsafeMutableBytes {
            unsafe RecordMarking.next(unsafely: $0, 0, $0.count, limit: limit)
        }
        return (step, bytes)
    }

    @Test("A record of one fragment stays where it is")
    func single() {
        #expect(next([0x80, 0, 0, 2, 7, 8, 0x80]).step == .record(body: 4..<6, end: 6))
        #expect(next([0x80, 0, 0, 2, 7]).step == .incomplete)
        #expect(next([0x80, 0, 0]).step == .incomplete)
    }

    @Test("Fragments are joined, empty ones too")
    func fragments() {
        let (step, memory) = next([0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 0x80, 0, 0, 3, 3, 4, 5, 9])
        #expect(step == .record(body: 4..<9, end: 17))
        #expect(memory[4..<9] == [1, 2, 3, 4, 5])
        #expect(memory[17] == 9)
    }

    @Test("Bytes and fragments have limits")
    func limits() {
        #expect(next([0x80, 0, 0, 101]).step == .long(length: 101))
        let many = [UInt8](repeating: 0, count: 4 * 513)
        guard case .refused = next(many).step else { Issue.record("513 fragments pass"); return }
        guard case .refused = next([0, 0, 0, 101]).step else {
            Issue.record("a long record of fragments passes"); return
        }
    }
}
