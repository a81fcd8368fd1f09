import Mustache

/// No template traps, hangs or makes more than the limits allow, and what has no tags comes out as it went in.
func fuzzMustache(_ bytes: Span<UInt8>) {
    let source = array(bytes)
    var limits = MustacheLimits()
    limits.output = 1 << 20
    limits.steps = 10_000
    guard let template = try? MustacheTemplate(source, file: "fuzz", limits: limits) else { return }
    let text = MustacheValue.text("x")
    let context = MustacheValue.object([
        "a": text, "b": .list([text, .object(["a": .boolean(true), "c": .list([])]), .list([text, text])]),
        "c": .object(["a": text, "d": .object(["a": text])]), "d": .boolean(false),
    ])
    let result = try? template.render(context, limits: limits) { name throws(MustacheProblem) in
        // Every second name is the template itself: what includes itself must end.
        name.utf8.count.isMultiple(of: 2) ? template : nil
    }
    guard let result else { return }
    precondition(result.count <= limits.output, "more came out than is allowed")
    if !source.contains(UInt8(ascii: "{")) { precondition(result == source, "text without tags was changed") }
}
