/// Finds and reads a request head in the bytes that have arrived.
///
/// Strict where leniency lets two readers of one stream disagree about where a request ends (request smuggling, RFC 9112
/// section 11.2): lines end in CR LF, no blanks before a colon, no folded fields, one Content-Length, no Transfer-Encoding.
public enum HTTPRequestParser {
    /// The most bytes of a head, its empty line included.
    public static let headLimit = 16384
    /// The most fields of a head.
    public static let fieldLimit = 100

    /// A head and how many bytes it took.
    public struct Parsed: Sendable {
        /// The head.
        public var head: HTTPRequestHead
        /// How many bytes it took; the body begins there.
        public var length: Int
    }

    /// Reads the head at the start of `bytes`; nil when it has not arrived whole yet.
    ///
    /// - Parameter searched: how many bytes an earlier call has seen in vain, to not search them again.
    public static func parse(_ bytes: Span<UInt8>, searched: Int = 0) throws(HTTPRequestError) -> Parsed? {
        var start = 0
        // An empty line before a request is a leftover of old clients (RFC 9112 section 2.2).
        while start + 1 < bytes.count, start < 4, bytes[start] == 0x0D, bytes[start + 1] == 0x0A { start += 2 }
        guard let end = endOfHead(bytes, from: max(start, searched - 3)) else {
            guard bytes.count < headLimit else { throw .headTooLarge }
            return nil
        }
        guard end - start <= headLimit else { throw .headTooLarge }
        var position = start
        let line = try nextLine(bytes, &position, otherwise: .invalidRequestLine)
        var head = try requestLine(bytes.extracting(line))
        var number = 0
        while position < end - 2 {
            number += 1
            guard number <= fieldLimit else { throw .headTooLarge }
            let line = try nextLine(bytes, &position, otherwise: .invalidField(line: number))
            guard let field = field(bytes.extracting(line)) else { throw .invalidField(line: number) }
            head.fields.append(field)
        }
        try settle(&head)
        return Parsed(head: head, length: end)
    }

    /// The offset behind the first empty line at or after `start`; nil when there is none yet.
    public static func endOfHead(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index + 3 < bytes.count {
            if bytes[index + 3] == 0x0A, bytes[index + 2] == 0x0D, bytes[index + 1] == 0x0A, bytes[index] == 0x0D {
                return index + 4
            }
            index += 1
        }
        return nil
    }

    private static func nextLine(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        otherwise error: HTTPRequestError
    ) throws(HTTPRequestError) -> Range<Int> {
        let start = position
        var index = start
        while index + 1 < bytes.count {
            switch bytes[index] {
            case 0x0D where bytes[index + 1] == 0x0A:
                position = index + 2
                return start..<index
            case 0x0A, 0x0D, 0x00: throw error
            default: index += 1
            }
        }
        throw error
    }

    private static func requestLine(_ line: Span<UInt8>) throws(HTTPRequestError) -> HTTPRequestHead {
        guard let first = firstIndex(of: 0x20, in: line, from: 0),
            let second = firstIndex(of: 0x20, in: line, from: first + 1)
        else { throw .invalidRequestLine }
        guard first > 0, first <= 32, isToken(line.extracting(0..<first)) else { throw .invalidRequestLine }
        let version = line.extracting(second + 1..<line.count)
        guard version.count == 8, text(version.extracting(0..<5)) == "HTTP/", version[6] == 0x2E,
            (0x30...0x39).contains(version[5]), (0x30...0x39).contains(version[7])
        else { throw .invalidRequestLine }
        guard version[5] == 0x31 else { throw .unsupportedVersion }
        let target = try originForm(line.extracting(first + 1..<second))
        return HTTPRequestHead(
            method: HTTPMethod(rawValue: text(line.extracting(0..<first))),
            target: String(decoding: target, as: UTF8.self),
            minorVersion: version[7] == 0x30 ? 0 : 1,
            fields: [],
            path: try HTTPPath(encoded: target.prefix { $0 != 0x3F }),
            contentLength: 0
        )
    }

    /// The path and query of a target; `http://host/path` is what some boot firmware and every proxy sends.
    private static func originForm(_ target: Span<UInt8>) throws(HTTPRequestError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(target.count)
        for index in target.indices {
            guard (0x21...0x7E).contains(target[index]), target[index] != 0x23 else { throw .invalidTarget }
            bytes.append(target[index])
        }
        if bytes == [0x2A] { return [0x2F] }
        if bytes.first != 0x2F {
            guard text(target.extracting(0..<min(7, target.count))).lowercased() == "http://" else {
                throw .invalidTarget
            }
            bytes = Array(bytes.dropFirst(7).drop { $0 != 0x2F })
            if bytes.isEmpty { bytes = [0x2F] }
        }
        return bytes
    }

    private static func field(_ line: Span<UInt8>) -> HTTPField? {
        guard let colon = firstIndex(of: 0x3A, in: line, from: 0), colon > 0, isToken(line.extracting(0..<colon)) else {
            return nil
        }
        var start = colon + 1
        var end = line.count
        while start < end, line[start] == 0x20 || line[start] == 0x09 { start += 1 }
        while end > start, line[end - 1] == 0x20 || line[end - 1] == 0x09 { end -= 1 }
        for index in start..<end where line[index] < 0x20 && line[index] != 0x09 || line[index] == 0x7F { return nil }
        return HTTPField(lowercase(line.extracting(0..<colon)), text(line.extracting(start..<end)))
    }

    /// Checks what decides where the request ends.
    private static func settle(_ head: inout HTTPRequestHead) throws(HTTPRequestError) {
        var hosts = 0
        var lengths = 0
        for field in head.fields {
            switch field.name {
            case "host": hosts += 1
            case "transfer-encoding": throw .transferEncoding
            case "content-length":
                lengths += 1
                let digits = field.value.utf8
                guard lengths == 1, (1...18).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
                    let length = Int(field.value)
                else { throw .invalidContentLength }
                head.contentLength = length
            default: break
            }
        }
        guard hosts == 1 || (hosts == 0 && head.minorVersion == 0) else { throw .invalidHost }
    }

    private static func firstIndex(of byte: UInt8, in bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            if bytes[index] == byte { return index }
            index += 1
        }
        return nil
    }

    /// Letters, digits and the marks of RFC 9110 section 5.6.2.
    private static func isToken(_ bytes: Span<UInt8>) -> Bool {
        for index in bytes.indices {
            switch bytes[index] {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: continue
            case 0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: continue
            default: return false
            }
        }
        return true
    }

    /// A token in lower case.
    private static func lowercase(_ token: Span<UInt8>) -> String {
        unsafe String(unsafeUninitializedCapacity: token.count) { room in
            for index in token.indices {
                let byte = token[index]
                unsafe room[index] = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            }
            return token.count
        }
    }

    private static func text(_ bytes: Span<UInt8>) -> String {
        unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
