import GRDB

/// The registry cannot be opened, read or written: one line for a person.
public struct RegistryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of trouble it is.
    public enum Cause: Hashable, Sendable {
        /// A newer version of this program wrote the file.
        case newerSchema
        /// The file is no database, or its content is damaged.
        case damaged
        /// No room is left on the disk.
        case diskFull
        /// Anything else that SQLite or the system reports.
        case other
    }

    /// What kind of trouble it is.
    public var cause: Cause
    /// The file.
    public var path: String
    /// What SQLite or the check said.
    public var reason: String

    /// One line: what is wrong and how to mend it.
    public var description: String {
        switch cause {
        case .newerSchema:
            "\(path) was written by a newer version of diskless (\(reason)):"
                + " install that version again, or restore a backup made by this one"
        case .damaged:
            "\(path) is damaged or not a registry (\(reason)):"
                + " restore a backup, or move the file away to begin with an empty fleet"
        case .diskFull: "\(path) cannot be written, the disk is full: free some space; nothing was changed"
        case .other: "\(path): \(reason)"
        }
    }

    init(_ cause: Cause, _ path: String, _ reason: String) {
        self.cause = cause
        self.path = path
        self.reason = reason
    }

    /// From what GRDB throws.
    init(_ path: String, _ error: any Error) {
        if let error = error as? RegistryError {
            self = error
            return
        }
        if let failure = error as? LeaseJournalFile.Failure {
            self.init(failure.isDiskFull ? .diskFull : .other, path, failure.description)
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.other, path, "\(error)")
            return
        }
        let message = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_NOTADB, .SQLITE_CORRUPT: self.init(.damaged, path, message)
        case .SQLITE_FULL: self.init(.diskFull, path, message)
        default: self.init(.other, path, message)
        }
    }
}
