/// Why a lab could not be made or did not do what was expected, as one line for a person.
public struct LabError: Error, Equatable, CustomStringConvertible {
    /// What is wrong and, where there is a way, how to mend it.
    public let description: String

    /// From its line.
    public init(_ description: String) { self.description = description }
}
