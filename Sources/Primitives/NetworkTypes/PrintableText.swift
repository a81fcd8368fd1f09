extension StringProtocol {
    /// This text from the network as it may stand in a log line or on a terminal: `?` for every control, format and
    /// line-ending character, cut off after 255 characters.
    ///
    /// Otherwise a client could begin log lines of its own, or move the cursor of who reads them.
    public var printable: String {
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars.prefix(255) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                result.append("?")
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
