/// One entry of apt's sources: where packages come from, as `sources.list(5)` writes it.
struct AptSource: Hashable {
    /// `deb`, `deb-src`.
    var types: [String]
    /// Where the archive lies.
    var uris: [String]
    /// Releases of it: `bookworm`, `bookworm-security`.
    var suites: [String]
    /// Parts of a release: `main`.
    var components: [String]
    /// Further fields by their deb822 name, in the order they came, such as `Signed-By`.
    var options: [Option]

    /// A further field.
    struct Option: Hashable {
        var name: String
        /// The value; further lines begin with a space, as in the file.
        var value: String
    }

    init(types: [String], uris: [String], suites: [String], components: [String], options: [Option] = []) {
        self.types = types
        self.uris = uris
        self.suites = suites
        self.components = components
        self.options = options
    }

    /// The value of a field, whatever the case of its name.
    func option(_ name: String) -> String? {
        options.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The entry in deb822 form, as a `.sources` file has it.
    var deb822: String {
        var lines = [
            "Types: " + types.joined(separator: " "),
            "URIs: " + uris.joined(separator: " "),
            "Suites: " + suites.joined(separator: " "),
        ]
        if !components.isEmpty { lines.append("Components: " + components.joined(separator: " ")) }
        lines += options.map { "\($0.name): \($0.value)" }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// Reads both forms of apt's source lists.
///
/// What it cannot read it leaves out, as the list may hold more than we need.
enum AptSourceList {
    /// A `.sources` file: stanzas of fields, with comments and continued lines.
    static func deb822(_ text: String) -> [AptSource] {
        var sources: [AptSource] = []
        var fields: [AptSource.Option] = []
        func finish() {
            if let source = source(fields) { sources.append(source) }
            fields = []
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("#") { continue }
            if line.allSatisfy(\.isWhitespace) {
                finish()
            } else if line.first?.isWhitespace == true {
                if !fields.isEmpty { fields[fields.count - 1].value += "\n" + line }
            } else if let colon = line.firstIndex(of: ":") {
                let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
                fields.append(.init(name: String(line[..<colon]), value: String(value)))
            }
        }
        finish()
        return sources
    }

    private static func source(_ fields: [AptSource.Option]) -> AptSource? {
        func words(_ name: String) -> [String] {
            let value = fields.first { $0.name.lowercased() == name }?.value ?? ""
            return value.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        let enabled = words("enabled").first?.lowercased() ?? "yes"
        let source = AptSource(
            types: words("types"),
            uris: words("uris"),
            suites: words("suites"),
            components: words("components"),
            options: fields.filter {
                !["types", "uris", "suites", "components", "enabled"].contains($0.name.lowercased())
            }
        )
        guard !["no", "false", "0", "off", "without", "disable"].contains(enabled), !source.types.isEmpty,
            !source.uris.isEmpty, !source.suites.isEmpty
        else { return nil }
        return source
    }

    /// A `.list` file: one entry a line, `deb [option=value …] uri suite component …`.
    static func oneLine(_ text: String) -> [AptSource] {
        text.split(separator: "\n").compactMap { line in
            var words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init)[...]
            guard let type = words.popFirst(), type == "deb" || type == "deb-src" else { return nil }
            var options: [AptSource.Option] = []
            if words.first?.hasPrefix("[") == true {
                var inside: [Substring] = []
                var isClosed = false
                while !isClosed, let word = words.popFirst() {
                    isClosed = word.hasSuffix("]")
                    inside += word.drop { $0 == "[" }.split(separator: "]")
                }
                options = inside.compactMap(option)
            }
            guard let uri = words.popFirst(), let suite = words.popFirst() else { return nil }
            return AptSource(types: [type], uris: [uri], suites: [suite], components: Array(words), options: options)
        }
    }

    /// `signed-by=/a,/b` as the field it is in the other form.
    private static func option(_ text: Substring) -> AptSource.Option? {
        guard let equals = text.firstIndex(of: "=") else { return nil }
        let names = [
            "signed-by": "Signed-By", "arch": "Architectures", "trusted": "Trusted", "lang": "Languages",
            "check-valid-until": "Check-Valid-Until", "allow-insecure": "Allow-Insecure", "by-hash": "By-Hash",
        ]
        guard let name = names[text[..<equals].lowercased()] else { return nil }
        let value = text[text.index(after: equals)...].split(separator: ",").joined(separator: " ")
        return .init(name: name, value: value)
    }
}
