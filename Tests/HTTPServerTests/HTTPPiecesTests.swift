import Testing

@testable import HTTPServer

@Suite struct HTTPPiecesTests {
    @Test func partsAreCutOutOfThePieces() {
        let pieces = HTTPPieces([.bytes([1, 2, 3]), .zeros(4), .bytes([8, 9])], tag: "\"x\"")
        #expect(pieces.size == 9)
        func flat(_ range: Range<UInt64>) -> [UInt8] {
            pieces.part(range).flatMap { piece -> [UInt8] in
                switch piece {
                case .bytes(let bytes): bytes
                case .zeros(let count): [UInt8](repeating: 0, count: Int(count))
                case .file: []
                }
            }
        }
        let whole: [UInt8] = [1, 2, 3, 0, 0, 0, 0, 8, 9]
        for low in 0..<9 {
            for high in low...9 {
                #expect(flat(UInt64(low)..<UInt64(high)) == Array(whole[low..<high]))
            }
        }
    }
}
