public import NetworkTypes

/// A file system that a node mounts over its root before its own init runs.
public enum Mount: Hashable, Sendable {
    /// Memory at a directory, empty at each boot: `{tmpfs: /tmp, size: 512M, mode: 1777}`.
    case tmpfs(at: NodePath, size: ByteCount? = nil, mode: FileMode? = nil)
    /// A directory of an NFS server: `{nfs: /srv/home, at: /home, mode: rw}`; `server` nil is this server.
    ///
    /// Version 4.2 unless another one is said: several nodes use it, and their locks must hold between them.
    case nfs(
        NodePath,
        at: NodePath,
        mode: Access = .readOnly,
        server: IPv4Address? = nil,
        version: NFSVersion = .v42
    )

    /// Whether it may be written.
    public enum Access: String, Hashable, Sendable, Codable, SettingWord {
        /// Read only.
        case readOnly = "ro"
        /// Read and write.
        case readWrite = "rw"
    }

    /// Where it is mounted on the node.
    public var path: NodePath {
        switch self {
        case .tmpfs(let path, _, _), .nfs(_, let path, _, _, _): path
        }
    }
}

extension Mount: SettingCodable {
    /// From `{tmpfs: PATH, size?, mode?}` or `{nfs: DIRECTORY, at: PATH, mode?, server?, version?}`.
    public init(setting value: SettingValue) throws(SettingError) {
        let all = try SettingKeys(
            value,
            of: "mount",
            known: ["tmpfs", "nfs", "at", "size", "mode", "server", "version"]
        )
        switch (all.has("tmpfs"), all.has("nfs")) {
        case (true, false):
            let keys = try SettingKeys(value, of: "mount of a tmpfs", known: ["tmpfs", "size", "mode"])
            self = .tmpfs(
                at: try keys.required("tmpfs"),
                size: try keys.optional("size"),
                mode: try keys.optional("mode")
            )
        case (false, true):
            let keys = try SettingKeys(value, of: "mount over NFS", known: ["nfs", "at", "mode", "server", "version"])
            self = .nfs(
                try keys.required("nfs"),
                at: try keys.required("at"),
                mode: try keys.optional("mode") ?? .readOnly,
                server: try keys.optional("server"),
                version: try keys.optional("version") ?? .v42
            )
        default:
            throw SettingError("needs either tmpfs or nfs: {tmpfs: /tmp} or {nfs: /srv/home, at: /home, mode: rw}")
        }
    }

    /// The keys it was written with.
    public var setting: SettingValue {
        switch self {
        case .tmpfs(let path, let size, let mode):
            var pairs = [SettingValue.Pair("tmpfs", path.setting)]
            if let size { pairs.append(SettingValue.Pair("size", size.setting)) }
            if let mode { pairs.append(SettingValue.Pair("mode", mode.setting)) }
            return .keys(pairs)
        case .nfs(let directory, let path, let mode, let server, let version):
            var pairs = [
                SettingValue.Pair("nfs", directory.setting), SettingValue.Pair("at", path.setting),
                SettingValue.Pair("mode", mode.setting),
            ]
            if let server { pairs.append(SettingValue.Pair("server", server.setting)) }
            if version != .v42 { pairs.append(SettingValue.Pair("version", version.setting)) }
            return .keys(pairs)
        }
    }
}
