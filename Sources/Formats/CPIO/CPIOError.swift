/// Why an archive can not be written or read.
public enum CPIOError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A path that the format has no place for.
    case badPath(String)
    /// A file larger than 4 GiB, the format's limit.
    case tooLarge(String)
    /// The bytes at this offset are no header of a "newc" archive.
    case notNewc(offset: Int)
    /// The archive ends inside the entry at this offset, or without its end mark.
    case truncated(offset: Int)

    /// Bytes that a path may have, its end mark included (PATH_MAX).
    static let longestPath = 4096

    /// One line for people.
    public var description: String {
        switch self {
        case .badPath(let path): "the path '\(path)' can not be stored in a cpio archive"
        case .tooLarge(let path): "'\(path)' is larger than the 4 GiB that a cpio archive can hold"
        case .notNewc(let offset): "no cpio archive of the newc kind: byte \(offset) is not part of a header"
        case .truncated(let offset): "the cpio archive ends inside the entry at byte \(offset)"
        }
    }
}
