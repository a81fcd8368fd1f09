/// What to do with a resource (RFC 9110 section 9); case counts.
public struct HTTPMethod: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The name as it came.
    public var rawValue: String
    /// From a name; unknown ones are kept.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// GET.
    public static let get = HTTPMethod(rawValue: "GET")
    /// HEAD: as GET, without the body.
    public static let head = HTTPMethod(rawValue: "HEAD")
    /// POST.
    public static let post = HTTPMethod(rawValue: "POST")
    /// PUT.
    public static let put = HTTPMethod(rawValue: "PUT")
    /// PATCH.
    public static let patch = HTTPMethod(rawValue: "PATCH")
    /// DELETE.
    public static let delete = HTTPMethod(rawValue: "DELETE")
    /// OPTIONS.
    public static let options = HTTPMethod(rawValue: "OPTIONS")
    /// The name.
    public var description: String { rawValue }
}

/// One header field (RFC 9110 section 5); names are compared without regard to case.
public struct HTTPField: Hashable, Sendable {
    /// The name: in lower case when it was parsed, as given when it is to be sent.
    public var name: String
    /// The value without blanks around it.
    public var value: String

    /// A field from its parts.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// The request line and header fields of one request (RFC 9112 sections 3 and 5).
public struct HTTPRequestHead: Hashable, Sendable {
    /// What to do.
    public var method: HTTPMethod
    /// The path and query as they came, percent-encoded.
    public var target: String
    /// 1 for HTTP/1.1 and later minor versions, 0 for HTTP/1.0.
    public var minorVersion: Int
    /// The fields in their order, names in lower case.
    public var fields: [HTTPField]
    /// The path, decoded and without `.` parts.
    public var path: HTTPPath
    /// How many bytes of body follow.
    public var contentLength: Int

    /// The value of the only field of that name (lower case); several are joined by a comma (RFC 9110 section 5.2).
    public func value(of name: String) -> String? {
        var found: String?
        for field in fields where field.name == name {
            found = found.map { $0 + ", " + field.value } ?? field.value
        }
        return found
    }

    /// What follows `?` in the target, not decoded; nil without one.
    public var query: String? {
        target.firstIndex(of: "?").map { String(target[target.index(after: $0)...]) }
    }

    /// The decoded values of the query's `name=value` pairs; a later pair of the same name wins.
    public var queryItems: [String: String] {
        var items: [String: String] = [:]
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decodeQuery(parts[0]), let value = parts.count > 1 ? decodeQuery(parts[1]) : "" else {
                continue
            }
            items[name] = value
        }
        return items
    }

    /// Whether the connection stays open after the reply (RFC 9112 section 9.3).
    public var keepsConnection: Bool {
        guard let value = value(of: "connection") else { return minorVersion > 0 }
        let tokens = value.lowercased().split(separator: ",").map { $0.filter { $0 != " " } }
        if tokens.contains("close") { return false }
        return minorVersion > 0 || tokens.contains("keep-alive")
    }

    /// Whether the client waits for `100 Continue` before it sends its body (RFC 9110 section 10.1.1).
    public var expectsContinue: Bool {
        minorVersion > 0 && contentLength > 0 && value(of: "expect")?.lowercased() == "100-continue"
    }
}

private func decodeQuery(_ text: Substring) -> String? {
    percentDecode(text.utf8.map { $0 == 0x2B ? 0x20 : $0 }).flatMap { String(validating: $0, as: UTF8.self) }
}
