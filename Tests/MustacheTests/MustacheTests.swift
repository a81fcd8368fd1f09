import Mustache
import Testing

struct MustacheTests {
    private let node: MustacheValue = .object([
        "name": .text("megane"), "seat": .number(3), "kiosk": .boolean(true), "quiet": .boolean(false),
        "empty": .list([]), "servers": .list([.text("10.0.0.1"), .text("10.0.0.2")]),
        "mounts": .list([
            .object(["at": .text("/home"), "mode": .text("rw")]), .object(["at": .text("/srv")]),
        ]),
        "network": .object(["name": .text("lab"), "router": .text("10.0.0.254")]),
        "markup": .text("<a & \"b\">"),
    ])

    private func render(_ text: String, partials: [String: String] = [:]) throws -> String {
        let template = try MustacheTemplate(Array(text.utf8), file: "motd")
        let bytes = try template.render(node) { name throws(MustacheProblem) in
            guard let text = partials[name] else { return nil }
            return try MustacheTemplate(Array(text.utf8), file: name)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func problem(_ text: String, partials: [String: String] = [:]) -> MustacheProblem? {
        do {
            _ = try render(text, partials: partials)
            return nil
        } catch {
            return error as? MustacheProblem
        }
    }

    @Test(arguments: [
        ("{{name}} sits at {{ seat }}", "megane sits at 3"),
        ("{{markup}} {{{markup}}} {{&markup}}", "<a & \"b\"> <a & \"b\"> <a & \"b\">"),
        ("{{network.router}}", "10.0.0.254"),
        ("{{#network}}{{router}} {{name}}{{/network}}", "10.0.0.254 lab"),
        ("{{#servers}}<{{.}}>{{/servers}}", "<10.0.0.1><10.0.0.2>"),
        ("{{#mounts}}{{at}}:{{#mode}}{{mode}}{{/mode}}{{^mode}}ro{{/mode}} {{/mounts}}", "/home:rw /srv:ro "),
        ("{{#kiosk}}yes{{/kiosk}}{{^quiet}}loud{{/quiet}}{{#quiet}}no{{/quiet}}", "yesloud"),
        ("{{#nobody}}a{{/nobody}}{{^nobody}}b{{/nobody}}{{^empty}}c{{/empty}}", "bc"),
        ("a{{! a comment\nof two lines }}b", "ab"),
        ("{{=<% %>=}}{{name}} <%name%><%={{ }}=%> {{name}}", "{{name}} megane megane"),
        ("no tags { } }} at all", "no tags { } }} at all"),
        ("", ""),
    ])
    func rendersAsTheLanguageSays(_ text: String, _ expected: String) throws {
        #expect(try render(text) == expected)
    }

    @Test func tagsOnLinesOfTheirOwnLeaveNone() throws {
        let text =
            "first\n{{#servers}}\n  server {{.}}\n{{/servers}}\n  {{! nothing }}  \r\nlast\n{{#kiosk}}\nend\n{{/kiosk}}"
        #expect(try render(text) == "first\n  server 10.0.0.1\n  server 10.0.0.2\nlast\nend\n")
    }

    @Test func partialsKeepTheirIndentation() throws {
        let partials = ["list": "- {{name}}\n- {{> seat}}\n", "seat": "{{seat}}"]
        #expect(try render("all:\n  {{> list}}\nend\n", partials: partials) == "all:\n  - megane\n  - 3\nend\n")
    }

    @Test func anUnknownNameIsAnErrorWithItsLine() {
        let found = problem("one\n\ntwo {{network.rooter}}\n")
        #expect(
            found
                == MustacheProblem(
                    file: "motd",
                    line: 3,
                    name: "network.rooter",
                    reason: "there is no variable \"network.rooter\""
                )
        )
        #expect(found?.description == "motd:3: there is no variable \"network.rooter\"")
        #expect(problem("{{mounts}}")?.reason.contains("is a list") == true)
    }

    @Test func aPartialThatIncludesItselfIsAnError() {
        let found = problem("\n{{> a}}", partials: ["a": "x\n{{> b}}", "b": "{{> a}}"])
        #expect(found?.file == "b")
        #expect(found?.line == 1)
        #expect(found?.name == "a")
        #expect(found?.reason == "the partial \"a\" includes itself (a > b > a)")
        #expect(problem("{{> gone}}")?.name == "gone")
    }

    @Test(arguments: [
        ("a\n{{#servers}}", 2, "servers"), ("a\n{{/servers}}", 2, "servers"),
        ("{{#mounts}}\n{{#servers}}\n{{/mounts}}\n", 3, "mounts"), ("{{two words}}", 1, "two"), ("x{{}}", 1, ""),
        ("\n\n{{..}}", 3, ".."), ("{{> ../etc/passwd}}", 1, "../etc/passwd"),
    ])
    func brokenTagsNameLineAndName(_ text: String, _ line: Int, _ name: String) {
        let found = problem(text)
        #expect(found?.line == line)
        #expect(found?.name == name)
    }

    @Test func anUnclosedTagIsAnError() {
        #expect(problem("\n{{name")?.line == 2)
        #expect(problem("{{=only=}}")?.line == 1)
    }

    @Test func loopsEndAtALimit() throws {
        let many = MustacheValue.list(Array(repeating: .text("x"), count: 100))
        let nested = String(repeating: "{{#many}}", count: 20) + String(repeating: "{{/many}}", count: 20)
        let template = try MustacheTemplate(Array(nested.utf8), file: "loop")
        var caught: MustacheProblem?
        do { _ = try template.render(.object(["many": many])) } catch { caught = error }
        #expect(caught?.name == "many")
        #expect(caught?.file == "loop")

        let deep = String(repeating: "{{#a}}", count: 40)
        #expect(throws: MustacheProblem.self) { try MustacheTemplate(Array(deep.utf8), file: "deep") }
        let big = try MustacheTemplate(Array("{{#many}}{{text}}{{/many}}".utf8), file: "big")
        let context = MustacheValue.object(["many": many, "text": .text(String(repeating: "x", count: 1 << 20))])
        #expect(throws: MustacheProblem.self) { try big.render(context) }
    }
}
