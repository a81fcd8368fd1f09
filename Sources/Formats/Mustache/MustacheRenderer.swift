extension MustacheTemplate {
    /// The text that comes out with `context` as what the names stand for.
    ///
    /// - Parameter partials: the template of `{{> name}}`; nil when there is none.
    /// - Throws: `MustacheProblem` that names file, line and variable: a name that nobody knows, a value that cannot be
    ///   printed, a partial that is missing or includes itself, more than the limits allow; and what `partials` throws.
    public func render(
        _ context: MustacheValue,
        limits: MustacheLimits = MustacheLimits(),
        partials: (String) throws(MustacheProblem) -> MustacheTemplate? = { _ throws(MustacheProblem) in nil }
    ) throws(MustacheProblem) -> [UInt8] {
        var renderer = MustacheRenderer(context, limits)
        try renderer.render(parts, of: self, depth: 0, partials)
        return renderer.output
    }
}

/// One rendering: the values around the place, the partials around it, and what has come out.
private struct MustacheRenderer {
    private let limits: MustacheLimits
    private var values: [MustacheValue]
    private var including: [String] = []
    private var steps = 0
    private(set) var output: [UInt8] = []

    init(_ context: MustacheValue, _ limits: MustacheLimits) {
        values = [context]
        self.limits = limits
    }

    mutating func render(
        _ parts: [MustacheTemplate.Part],
        of template: MustacheTemplate,
        depth: Int,
        _ partials: (String) throws(MustacheProblem) -> MustacheTemplate?
    ) throws(MustacheProblem) {
        for part in parts {
            switch part {
            case .text(let bytes):
                try put(bytes, template, nil)
            case .variable(let name):
                try put(Array(try text(name, template).utf8), template, name)
            case .section(let name, let isInverted, let inner):
                guard depth < limits.depth else { throw problem("sections are nested too deep", name, template) }
                let value = look(up: name)
                let isEmpty = value?.isEmpty ?? true
                if isInverted {
                    if isEmpty { try step(inner, of: template, name, depth, partials) }
                } else if !isEmpty, let value {
                    try repeated(inner, value, of: template, name, depth, partials)
                }
            case .partial(let name, let indentation):
                try include(name, indentation, template, depth, partials)
            }
        }
    }

    private mutating func repeated(
        _ inner: [MustacheTemplate.Part],
        _ value: MustacheValue,
        of template: MustacheTemplate,
        _ name: MustacheTemplate.Name,
        _ depth: Int,
        _ partials: (String) throws(MustacheProblem) -> MustacheTemplate?
    ) throws(MustacheProblem) {
        var elements = [value]
        if case .list(let list) = value { elements = list }
        for element in elements {
            values.append(element)
            try step(inner, of: template, name, depth, partials)
            values.removeLast()
        }
    }

    private mutating func step(
        _ inner: [MustacheTemplate.Part],
        of template: MustacheTemplate,
        _ name: MustacheTemplate.Name,
        _ depth: Int,
        _ partials: (String) throws(MustacheProblem) -> MustacheTemplate?
    ) throws(MustacheProblem) {
        try count(template, name)
        try render(inner, of: template, depth: depth + 1, partials)
    }

    private mutating func include(
        _ name: MustacheTemplate.Name,
        _ indentation: [UInt8],
        _ template: MustacheTemplate,
        _ depth: Int,
        _ partials: (String) throws(MustacheProblem) -> MustacheTemplate?
    ) throws(MustacheProblem) {
        if let first = including.firstIndex(of: name.text) {
            let circle = (including[first...] + [name.text]).joined(separator: " > ")
            throw problem("the partial \"\(name.text)\" includes itself (\(circle))", name, template)
        }
        guard depth < limits.depth else { throw problem("partials are nested too deep", name, template) }
        guard let partial = try partials(name.text) else {
            throw problem(
                "there is no partial \"\(name.text)\": it would be the file .partials/\(name.text).mustache",
                name,
                template
            )
        }
        try count(template, name)
        including.append(name.text)
        let indented = try partial.indented(by: indentation, limits: limits)
        try render(indented.parts, of: indented, depth: depth + 1, partials)
        including.removeLast()
    }

    // MARK: Values

    /// What a name stands for: its first word in the innermost group that has it, the rest from there.
    private func look(up name: MustacheTemplate.Name) -> MustacheValue? {
        let path = name.path
        guard let first = path.first else { return values.last }
        for value in values.reversed() {
            guard case .object(let members) = value, var found = members[first] else { continue }
            for word in path.dropFirst() {
                guard case .object(let members) = found, let next = members[word] else { return nil }
                found = next
            }
            return found
        }
        return nil
    }

    private func text(_ name: MustacheTemplate.Name, _ template: MustacheTemplate) throws(MustacheProblem) -> String {
        switch look(up: name) {
        case .text(let text)?: return text
        case .boolean(let isTrue)?: return isTrue ? "true" : "false"
        case let other?:
            throw problem("\"\(name.text)\" is \(other.kind), not text: use it as a section", name, template)
        case nil:
            throw problem("there is no variable \"\(name.text)\"", name, template)
        }
    }

    // MARK: Limits

    private mutating func put(_ bytes: [UInt8], _ template: MustacheTemplate, _ name: MustacheTemplate.Name?)
        throws(MustacheProblem)
    {
        guard output.count + bytes.count <= limits.output else {
            throw MustacheProblem(
                file: template.file,
                line: name?.line ?? 1,
                name: name?.text,
                reason: "more than \(limits.output) bytes come out"
            )
        }
        output += bytes
        steps += 1
    }

    private mutating func count(_ template: MustacheTemplate, _ name: MustacheTemplate.Name) throws(MustacheProblem) {
        steps += 1
        guard steps <= limits.steps else {
            throw problem("\"\(name.text)\" is repeated too often: more than \(limits.steps) steps", name, template)
        }
    }

    private func problem(_ reason: String, _ name: MustacheTemplate.Name, _ template: MustacheTemplate)
        -> MustacheProblem
    {
        MustacheProblem(file: template.file, line: name.line, name: name.text, reason: reason)
    }
}
