/// One promise of a port, and how to see whether an implementation keeps it.
package struct ConformanceCase<Port>: Sendable, CustomStringConvertible {
    /// The promise in words.
    package let description: String
    /// Tries a fresh, empty implementation; throws when it breaks the promise.
    package let check: @Sendable (Port) throws -> Void

    init(_ description: String, _ check: @escaping @Sendable (Port) throws -> Void) {
        self.description = description
        self.check = check
    }
}

/// An implementation broke a promise.
package struct ConformanceFailure: Error, CustomStringConvertible {
    /// What was seen.
    package let description: String
}

/// Throws unless `condition` holds.
func expect(_ condition: Bool, _ what: @autoclosure () throws -> String, line: Int = #line) throws {
    guard condition else { throw ConformanceFailure(description: "\(try what()) (line \(line))") }
}

/// Throws unless `body` throws.
func expectThrows(_ what: String, line: Int = #line, _ body: () throws -> Void) throws {
    do { try body() } catch { return }
    throw ConformanceFailure(description: "\(what) was not refused (line \(line))")
}
