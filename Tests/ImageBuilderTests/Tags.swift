import Testing

extension Tag {
    /// Builds a real image: takes root, the archive and a minute or two.
    @Tag static var endToEnd: Self
}
