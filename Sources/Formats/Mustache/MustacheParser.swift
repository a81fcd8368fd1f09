/// Reads a template's text from its start to its end, once.
struct MustacheParser {
    private let source: [UInt8]
    private let file: String
    private let depth: Int
    private var opening: [UInt8] = Array("{{".utf8)
    private var closing: [UInt8] = Array("}}".utf8)
    private var line = 1
    /// Where the text that has not been kept yet begins.
    private var cursor = 0
    /// The sections that are open, the outermost first, each with the parts before it.
    private var open: [(name: MustacheTemplate.Name, isInverted: Bool, before: [MustacheTemplate.Part])] = []
    private var parts: [MustacheTemplate.Part] = []

    init(_ source: [UInt8], file: String, depth: Int) {
        self.source = source
        self.file = file
        self.depth = depth
    }

    mutating func parse() throws(MustacheProblem) -> [MustacheTemplate.Part] {
        while let start = find(opening, from: cursor) {
            try readTag(at: start)
        }
        keepText(upTo: source.count)
        if let unclosed = open.last {
            throw problem("the section \(shown(unclosed.name)) is not closed", unclosed.name)
        }
        return parts
    }

    private mutating func readTag(at start: Int) throws(MustacheProblem) {
        let tagLine = line + newlines(in: cursor..<start)
        var inside = start + opening.count
        var ending = closing
        let sigil: UInt8? = inside < source.count ? source[inside] : nil
        let isTriple = sigil == UInt8(ascii: "{") && opening == Array("{{".utf8)
        if isTriple { ending = [UInt8(ascii: "}")] + closing }
        if sigil == UInt8(ascii: "=") { ending = [UInt8(ascii: "=")] + closing }
        let kind: UInt8 = sigil.flatMap { "#^/>!&=".utf8.contains($0) || isTriple ? $0 : nil } ?? 0
        if kind != 0 { inside += 1 }
        guard let end = find(ending, from: inside) else {
            throw MustacheProblem(file: file, line: tagLine, reason: "a tag is opened and never closed")
        }
        let after = end + ending.count
        let content = source[inside..<end]
        let alone = "#^/>!=".utf8.contains(kind) ? standsAlone(start, after) : nil
        keepText(upTo: alone?.lowerBound ?? start)
        line = tagLine + newlines(in: start..<(alone?.upperBound ?? after))
        cursor = alone?.upperBound ?? after
        switch kind {
        case UInt8(ascii: "!"): break
        case UInt8(ascii: "="): try setDelimiters(content, line: tagLine)
        default:
            let name = try name(content, line: tagLine, isPartial: kind == UInt8(ascii: ">"))
            let indentation = alone.map { Array(source[$0.lowerBound..<start]) } ?? []
            try take(kind, name, indentation)
        }
    }

    private mutating func take(_ kind: UInt8, _ name: MustacheTemplate.Name, _ indentation: [UInt8])
        throws(MustacheProblem)
    {
        switch kind {
        case UInt8(ascii: "#"), UInt8(ascii: "^"):
            guard open.count < depth else {
                throw problem("sections are nested more than \(depth) deep", name)
            }
            open.append((name, kind == UInt8(ascii: "^"), parts))
            parts = []
        case UInt8(ascii: "/"):
            guard let section = open.popLast() else { throw problem("\(shown(name)) closes no section", name) }
            guard section.name.text == name.text else {
                throw problem(
                    "\(shown(name)) closes the section \(shown(section.name)) of line \(section.name.line)",
                    name
                )
            }
            parts = section.before + [.section(section.name, isInverted: section.isInverted, parts)]
        case UInt8(ascii: ">"): parts.append(.partial(name, indentation: indentation))
        default: parts.append(.variable(name))
        }
    }

    // MARK: Pieces

    private mutating func keepText(upTo end: Int) {
        guard end > cursor else { return }
        parts.append(.text(Array(source[cursor..<end])))
        cursor = end
    }

    /// The whole lines that a tag has for itself: blanks before it, blanks and the line's end after it.
    private func standsAlone(_ start: Int, _ end: Int) -> Range<Int>? {
        var first = start
        while first > 0, Self.isBlank(source[first - 1]) { first -= 1 }
        guard first == 0 || source[first - 1] == UInt8(ascii: "\n") else { return nil }
        // A tag before it on the same line has been taken already.
        guard first >= cursor else { return nil }
        var last = end
        while last < source.count, Self.isBlank(source[last]) { last += 1 }
        if last < source.count, source[last] == UInt8(ascii: "\r") { last += 1 }
        guard last < source.count else { return first..<last }
        guard source[last] == UInt8(ascii: "\n") else { return nil }
        return first..<(last + 1)
    }

    private mutating func setDelimiters(_ content: ArraySlice<UInt8>, line: Int) throws(MustacheProblem) {
        let words = content.split(whereSeparator: Self.isSpace)
        guard words.count == 2, words.allSatisfy({ !$0.contains(UInt8(ascii: "=")) }) else {
            throw MustacheProblem(file: file, line: line, reason: "write other delimiters as in {{=<% %>=}}")
        }
        opening = Array(words[0])
        closing = Array(words[1])
    }

    private func name(_ content: ArraySlice<UInt8>, line: Int, isPartial: Bool) throws(MustacheProblem)
        -> MustacheTemplate.Name
    {
        let words = content.split(whereSeparator: Self.isSpace)
        let text = words.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        let name = MustacheTemplate.Name(text: text, line: line)
        guard words.count == 1 else {
            throw problem(text.isEmpty ? "a tag without a name" : "a name has no blanks in it", name)
        }
        let isName = text == "." || (!text.hasPrefix(".") && !text.hasSuffix(".") && !text.contains(".."))
        guard isName, text.utf8.count <= 200, !text.contains("{"), !text.contains("}") else {
            throw problem("\(shown(name)) is not a name", name)
        }
        if isPartial, text.contains("/") || text == "." {
            throw problem("\(shown(name)) is not the name of a partial: it is a file of .partials", name)
        }
        return name
    }

    private func shown(_ name: MustacheTemplate.Name) -> String { "\"\(name.text.prefix(80))\"" }

    private func problem(_ reason: String, _ name: MustacheTemplate.Name) -> MustacheProblem {
        MustacheProblem(file: file, line: name.line, name: name.text, reason: reason)
    }

    private func newlines(in range: Range<Int>) -> Int {
        source[range].count { $0 == UInt8(ascii: "\n") }
    }

    private func find(_ wanted: [UInt8], from start: Int) -> Int? {
        guard let first = wanted.first, source.count >= wanted.count else { return nil }
        var at = start
        while at <= source.count - wanted.count {
            if source[at] == first, source[at..<(at + wanted.count)].elementsEqual(wanted) { return at }
            at += 1
        }
        return nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    private static func isSpace(_ byte: UInt8) -> Bool { isBlank(byte) || byte == 0x0a || byte == 0x0d }
}
