/// NFS version 4 with its minor versions 0 (RFC 7530), 1 (RFC 8881) and 2 (RFC 7862): numbers and limits.
public enum NFS4 {
    /// The number of the RPC program.
    public static let program: UInt32 = 100_003
    /// Its version.
    public static let version: UInt32 = 4
    /// The newest minor version that is spoken.
    public static let newestMinor: UInt32 = 2
    /// Longest handle (NFS4_FHSIZE), in bytes.
    public static let handleLimit = 128
    /// Longest client and owner string (NFS4_OPAQUE_LIMIT), in bytes.
    public static let opaqueLimit = 1024
    /// Longest name or link target that is read, in bytes; longer ones are answered with NAMETOOLONG.
    public static let textLimit = 8192
    /// Longest tag of a compound that is repeated, in bytes.
    public static let tagLimit = 1024
    /// Operations that a compound may have.
    public static let operationLimit = 64
    /// Words of a bitmap that are read; the ones behind are skipped.
    public static let bitmapLimit = 256
}
