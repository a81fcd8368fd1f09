/// A parsed template in the language of mustache(5), without its HTML: `{{name}}` puts text in as it is.
///
/// Variables, sections, inverted sections, partials, comments and other delimiters; lambdas are left out. A name that
/// nobody knows is an error where it is to be printed, and counts as false where it opens a section.
public struct MustacheTemplate: Hashable, Sendable {
    /// The file's name, for problems.
    public let file: String
    /// The parts in order.
    let parts: [Part]
    /// The text it was parsed from: partials are parsed again when they stand indented.
    let source: [UInt8]

    /// A part of a template.
    indirect enum Part: Hashable, Sendable {
        case text([UInt8])
        case variable(Name)
        case section(Name, isInverted: Bool, [Part])
        case partial(Name, indentation: [UInt8])
    }

    /// A name with its place; dots lead into groups, and `.` alone is the value of the section.
    struct Name: Hashable, Sendable {
        var text: String
        var line: Int
        var path: [String] { text == "." ? [] : text.split(separator: ".").map(String.init) }
    }

    /// Parses a template.
    ///
    /// - Parameter file: its name, for problems.
    /// - Throws: `MustacheProblem` with the line of what is wrong.
    public init(_ source: [UInt8], file: String, limits: MustacheLimits = MustacheLimits()) throws(MustacheProblem) {
        guard source.count <= limits.source else {
            throw MustacheProblem(file: file, line: 1, reason: "the template has more than \(limits.source) bytes")
        }
        self.file = file
        self.source = source
        var parser = MustacheParser(source, file: file, depth: limits.depth)
        parts = try parser.parse()
    }

    /// The same template with something before each of its lines.
    func indented(by indentation: [UInt8], limits: MustacheLimits) throws(MustacheProblem) -> MustacheTemplate {
        guard !indentation.isEmpty else { return self }
        var result: [UInt8] = []
        result.reserveCapacity(source.count + indentation.count)
        var isLineStart = true
        for byte in source {
            if isLineStart { result += indentation }
            result.append(byte)
            isLineStart = byte == UInt8(ascii: "\n")
            guard result.count <= limits.source else {
                throw MustacheProblem(file: file, line: 1, reason: "indented, it has more than \(limits.source) bytes")
            }
        }
        return try MustacheTemplate(result, file: file, limits: limits)
    }
}
