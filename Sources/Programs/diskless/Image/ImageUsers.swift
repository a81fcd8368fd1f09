import BootModel

/// Which nodes run a version.
enum ImageUsers {
    /// The nodes whose latest boot uses `version`, as far as the server at `state` knows; none when there is no server.
    static func nodes(using version: ImageVersionID, state: String) throws -> [String] { [] }
}
