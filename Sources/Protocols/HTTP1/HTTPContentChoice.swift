/// What a client that may hold a copy gets of a content (RFC 9110 sections 13 and 14.2).
public enum HTTPContentChoice: Equatable, Sendable {
    /// 200: all of it.
    case whole
    /// 206: these bytes.
    case part(Range<UInt64>)
    /// 304: the client's copy is good.
    case notModified
    /// 412: the content is not the one that the client means.
    case preconditionFailed
    /// 416: there are no such bytes.
    case unsatisfiable

    /// Decides for a GET or HEAD.
    ///
    /// - Parameters:
    ///   - tag: the strong entity tag with its quotes.
    ///   - modified: the time of the last change in seconds since 1970.
    public init(for head: HTTPRequestHead, size: UInt64, tag: String, modified: Int?) {
        if let wanted = head.value(of: "if-match"), !Self.list(wanted, has: tag, weakly: false) {
            self = .preconditionFailed
            return
        }
        if let known = head.value(of: "if-none-match") {
            if Self.list(known, has: tag, weakly: true) {
                self = .notModified
                return
            }
        } else if let modified, let since = head.value(of: "if-modified-since").flatMap(HTTPDate.init),
            modified <= since.seconds
        {
            self = .notModified
            return
        }
        let condition = head.value(of: "if-range")
        guard condition.map({ $0 == tag || Self.isDate($0, modified) }) ?? true else {
            self = .whole
            return
        }
        switch HTTPRange(head.value(of: "range"), size: size) {
        case .whole: self = .whole
        case .part(let range): self = .part(range)
        case .unsatisfiable: self = .unsatisfiable
        }
    }

    private static func isDate(_ text: String, _ modified: Int?) -> Bool {
        modified != nil && HTTPDate(text)?.seconds == modified
    }

    private static func list(_ value: String, has tag: String, weakly: Bool) -> Bool {
        value.split(separator: ",").contains { item in
            var item = item.drop { $0 == " " || $0 == "\t" }
            while item.last == " " || item.last == "\t" { item.removeLast() }
            if weakly, item.hasPrefix("W/") { item = item.dropFirst(2) }
            return item == "*" || item == tag
        }
    }
}
