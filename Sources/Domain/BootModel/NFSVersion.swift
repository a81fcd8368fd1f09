/// A version of NFS as it is mounted: `vers=` of the node's mount.
public enum NFSVersion: String, Hashable, Sendable, Codable, CaseIterable, SettingWord {
    /// RFC 1813: no state on the server, no locks between nodes.
    case v3 = "3"
    /// RFC 7530.
    case v40 = "4.0"
    /// RFC 8881: sessions.
    case v41 = "4.1"
    /// RFC 7862: sessions, holes, copies, extended attributes.
    case v42 = "4.2"

    /// What is mounted when nobody says otherwise (docs/decisions/0009-nfs-version-of-roots.md).
    ///
    /// A tree that one node uses alone needs no state on the server. Of another server we know nothing: with version 4 one
    /// port is all that it takes.
    static func usual(isElsewhere: Bool) -> NFSVersion { isElsewhere ? .v42 : .v3 }
}
