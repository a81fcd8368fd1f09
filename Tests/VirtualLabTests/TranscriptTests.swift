import Testing

@testable import VirtualLab

@Suite struct TranscriptTests {
    @Test func findsWhatCameBefore() throws {
        let transcript = Transcript()
        transcript.append(Array("one two three".utf8))
        #expect(try transcript.wait(for: "two", limit: .zero) == 7)
        #expect(throws: LabError.self) { try transcript.wait(for: "two", from: 7, limit: .milliseconds(1)) }
    }

    @Test func isWokenByData() throws {
        let transcript = Transcript()
        startThread { for byte in Array("a login: ".utf8) { transcript.append([byte]) } }
        #expect(try transcript.wait(for: "login:", limit: .seconds(10)) == 8)
    }

    @Test func theFirstInTheTextWins() throws {
        let transcript = Transcript()
        transcript.append(Array("panic, then login".utf8))
        #expect(try transcript.wait(forAny: ["login", "panic"], limit: .zero).pattern == "panic")
    }

    @Test func anEndWakesWhoeverWaits() throws {
        let transcript = Transcript()
        transcript.append(Array("last words\n".utf8))
        startThread { transcript.end() }
        let error = #expect(throws: LabError.self) { try transcript.wait(for: "login", limit: .seconds(10)) }
        #expect(error?.description == "“login” never came: the program ended; last lines:\n  last words")
    }

    @Test func linesLoseTheirControlSequences() {
        let transcript = Transcript()
        transcript.append(Array("\u{1b}[2J\u{1b}[01;31mred\u{1b}[0m\r\n\r\nblue\r\n".utf8))
        #expect(transcript.lastLines(5) == ["red", "blue"])
    }
}
