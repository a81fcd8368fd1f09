import ONCRPC
public import XDR

/// The MOUNT protocol, version 3 (RFC 1813, appendix I).
public enum Mount3 {
    /// The program.
    public static let program: UInt32 = 100_005
    /// Its version.
    public static let version: UInt32 = 3
    /// MNTPATHLEN, in bytes.
    public static let pathLimit = 1024

    /// Its procedures.
    public enum Procedure: UInt32, Sendable {
        case null, mount, dump, unmount, unmountAll, exports
    }

    /// How MNT ended (mountstat3).
    public struct Status: RawRepresentable, Hashable, Sendable {
        /// The number on the wire.
        public let rawValue: UInt32
        /// Any number.
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// MNT3_OK.
        public static let ok = Self(rawValue: 0)
        /// MNT3ERR_NOENT.
        public static let noEntry = Self(rawValue: 2)
        /// MNT3ERR_IO.
        public static let inputOutput = Self(rawValue: 5)
        /// MNT3ERR_ACCES.
        public static let accessDenied = Self(rawValue: 13)
        /// MNT3ERR_NOTDIR.
        public static let notDirectory = Self(rawValue: 20)
        /// MNT3ERR_NAMETOOLONG.
        public static let nameTooLong = Self(rawValue: 63)
        /// MNT3ERR_SERVERFAULT.
        public static let serverFault = Self(rawValue: 10006)
    }

    /// Writes the result of a successful MNT.
    public static func encodeMounted(_ handle: NFS3FileHandle, into writer: inout XDRWriter) {
        writer.write(Status.ok.rawValue)
        handle.encode(into: &writer)
        writer.write(1 as UInt32)
        writer.write(RPCAuthFlavor.sys.rawValue)
    }

    /// Writes the result of EXPORT: these paths, for everybody who may ask.
    public static func encodeExports(_ paths: [[UInt8]], into writer: inout XDRWriter) {
        for path in paths {
            writer.write(true)
            writer.writeOpaque(path)
            writer.write(false)
        }
        writer.write(false)
    }
}
