/// Where a build's packages come from.
///
/// With a mirror, from there. Else from where this machine has its own, when it is a Debian: such a list works here, also
/// behind a company's mirror. Else from Debian's own servers.
enum AptSourceChoice {
    /// The keys of Debian's archive, in the package debian-archive-keyring; apt of other distributions lacks them.
    static let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    /// What Debian calls its own servers.
    static let debian = "http://deb.debian.org/debian"
    static let debianSecurity = "http://deb.debian.org/debian-security"

    /// The sources of `suite`.
    ///
    /// - Parameters:
    ///   - mirror: the mirror somebody asked for; it has the release itself, updates and security come from Debian's own
    ///     layout beside it only if it is one of Debian's names for it, so they are left out.
    ///   - host: this machine's own sources, and the codename of its release when it is a Debian.
    static func sources(
        suite: String,
        mirror: String?,
        host: (sources: [AptSource], codename: String?)
    ) -> [AptSource] {
        if let mirror {
            return [source(mirror, [suite])]
        }
        if let codename = host.codename {
            let own = host.sources.compactMap { adapted($0, from: codename, to: suite) }
            if own.contains(where: { $0.suites.contains(suite) && $0.components.contains("main") }) { return own }
        }
        if isRolling(suite) { return [source(debian, [suite])] }
        return [
            source(debian, [suite, "\(suite)-updates"]),
            source(debianSecurity, ["\(suite)-security"]),
        ]
    }

    /// A host's entry for another release, without what is not Debian's: nil when nothing is left.
    ///
    /// Debian's own entries are those of its suites with the component main that are signed by Debian's archive keys or by
    /// the keys that apt trusts anyway; other people's archives bring a key of their own.
    private static func adapted(_ source: AptSource, from codename: String, to suite: String) -> AptSource? {
        guard source.types.contains("deb"), source.components.contains("main") else { return nil }
        let key = source.option("Signed-By")
        guard key == nil || key?.contains("debian-archive") == true else { return nil }
        let endings = isRolling(suite) ? [""] : ["", "-updates", "-security", "/updates"]
        let suites = source.suites.flatMap { own in
            endings.filter { own == codename + $0 || own == "stable" + $0 }.map { suite + $0 }
        }
        guard !suites.isEmpty else { return nil }
        var adapted = source
        adapted.types = ["deb"]
        adapted.suites = suites
        // Which architectures this machine installs says nothing about the image.
        adapted.options.removeAll { ["architectures", "languages", "targets"].contains($0.name.lowercased()) }
        return adapted
    }

    private static func source(_ uri: String, _ suites: [String]) -> AptSource {
        AptSource(
            types: ["deb"],
            uris: [uri],
            suites: suites,
            components: ["main"],
            options: [.init(name: "Signed-By", value: keyring)]
        )
    }

    private static func isRolling(_ suite: String) -> Bool { ["sid", "unstable", "testing"].contains(suite) }
}
