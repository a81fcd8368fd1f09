/// A requested file name, cleaned: a relative path without `.` and `..` parts.
///
/// `\` counts as `/` (Windows boot programs), leading, doubled and trailing separators are dropped, and so are 0xFF bytes
/// and spaces at the end: PXE ROMs glue them to the name they got by DHCP option 67.
public struct TFTPFileName: Hashable, Sendable, CustomStringConvertible {
    /// Why a name cannot be served.
    public enum Problem: Error, Equatable, Sendable, CustomStringConvertible {
        /// Nothing is left of the name.
        case empty
        /// The name is not UTF-8 text, or has control characters.
        case notText
        /// A `..` would leave the served directory.
        case leavesDirectory

        /// One line for the client and the log.
        public var description: String {
            switch self {
            case .empty: "the file name is empty"
            case .notText: "the file name is not text"
            case .leavesDirectory: "'..' in a file name is refused: name the file from the top of the served directory"
            }
        }
    }

    /// The parts between the separators; at least one.
    public let components: [String]
    /// The parts with `/` between them.
    public let path: String

    /// Cleans the name of a request.
    public init(_ bytes: some Collection<UInt8>) throws(Problem) {
        var bytes = Array(bytes)
        while let last = bytes.last, last == 0xFF || last == 0x20 { bytes.removeLast() }
        for index in bytes.indices where bytes[index] == 0x5C { bytes[index] = 0x2F }
        // Also those that move a cursor or end a line only where a log is read.
        guard let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains(where: isControl)
        else { throw .notText }
        let components = text.split(separator: "/").map(String.init).filter { $0 != "." }
        guard !components.isEmpty else { throw .empty }
        guard !components.contains("..") else { throw .leavesDirectory }
        self.components = components
        self.path = components.joined(separator: "/")
    }

    /// Cleans a name that is text already.
    public init(_ text: String) throws(Problem) { try self.init(Array(text.utf8)) }

    /// The path.
    public var description: String { path }
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
}
