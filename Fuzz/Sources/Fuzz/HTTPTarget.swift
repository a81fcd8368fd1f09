import HTTP1

/// A head is found at the same place however the bytes arrive, its path stays below its root, its ranges in the file.
func fuzzHTTPRequest(_ bytes: Span<UInt8>) {
    guard let parsed = try? HTTPRequestParser.parse(bytes) else { return }
    precondition(parsed.length <= bytes.count, "a head is longer than what arrived")
    let early = try? HTTPRequestParser.parse(bytes.extracting(first: parsed.length - 1))
    precondition(early == nil, "a head was complete before its last byte")
    let exact = try? HTTPRequestParser.parse(bytes.extracting(first: parsed.length), searched: parsed.length - 1)
    precondition(exact?.head == parsed.head, "what follows a head changes it")
    let head = parsed.head
    precondition(head.contentLength >= 0, "a body of negative length")
    let leaves = head.path.components.contains { $0 == ".." || $0 == "." || $0.contains("/") }
    precondition(!leaves, "a path leaves its root")
    _ = (head.queryItems, head.keepsConnection, head.expectsContinue, head.path.description)
    for size: UInt64 in [0, 1000, .max] {
        switch HTTPContentChoice(for: head, size: size, tag: "\"a\"", modified: 784_111_777) {
        case .part(let range): precondition(!range.isEmpty && range.upperBound <= size, "a range leaves its file")
        default: break
        }
    }
    if let text = head.value(of: "if-modified-since"), let date = HTTPDate(text) {
        precondition(HTTPDate(date.description) == date, "a date is not stable")
    }
}
