import CSV
import Testing

@Suite("Comma-separated values")
struct CSVTableTests {
    @Test(arguments: [
        ("a,b\nc,d", [["a", "b"], ["c", "d"]]),
        ("a,b\r\n\r\nc,d\r\n", [["a", "b"], ["c", "d"]]),
        ("\u{feff}a,\"b,\"\"c\"\"\nd\"", [["a", "b,\"c\"\nd"]]),
        ("a,\n", [["a", ""]]),
        ("", []),
    ])
    func rows(text: String, wanted: [[String]]) throws {
        #expect(try CSVTable(text).rows.map { $0.map(\.text) } == wanted)
    }

    @Test func placesAreThoseOfTheText() throws {
        let cells = try CSVTable("a,\"x\ny\",b\n,c").rows.flatMap { $0 }
        #expect(cells.map(\.line) == [1, 1, 2, 3, 3] && cells.map(\.column) == [1, 3, 4, 1, 2])
    }

    @Test func quotesMustClose() {
        #expect(throws: CSVProblem.self) { try CSVTable("a,\"b") }
        let problem = #expect(throws: CSVProblem.self) { try CSVTable("a\nb,\"c\"d") }
        #expect(problem?.line == 2 && problem?.column == 6)
    }
}
