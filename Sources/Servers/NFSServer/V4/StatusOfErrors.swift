import CLinux
import FileTree
import NFS4
import XDR

/// A lock that somebody else has.
struct NFS4Denied: Error { var conflict: NFS4Conflict }
/// A client name that somebody else uses.
struct NFS4InUse: Error {
    var network: [UInt8]
    var address: [UInt8]
}

extension NFS4Status {
    /// The status for whatever made an operation fail.
    init(_ error: any Error) {
        switch error {
        case let status as NFS4Status: self = status
        case let error as TreeError: self.init(error)
        case is XDRError: self = .badXDR
        case is NFS4Denied: self = .denied
        case is NFS4InUse: self = .clientInUse
        case let refused as NFS4NewAttributes.Refused: self = refused.status
        default: self = .serverFault
        }
    }

    /// The status for an error of the kernel.
    init(_ error: TreeError) {
        self =
            switch error.number {
            case EPERM: .notOwner
            case ENOENT: .noEntry
            case EIO: .inputOutput
            case ENXIO: .noDevice
            case EACCES: .accessDenied
            case EEXIST: .exists
            case EXDEV: .crossDevice
            case ENOTDIR: .notDirectory
            case EISDIR: .isDirectory
            case EINVAL: .invalid
            case ELOOP: .symbolicLink
            case EFBIG: .tooBig
            case ENOSPC: .noSpace
            case EROFS: .readOnly
            case EMLINK: .tooManyLinks
            case ENAMETOOLONG: .nameTooLong
            case ENOTEMPTY: .notEmpty
            case EDQUOT: .quota
            case ESTALE: .stale
            case EOPNOTSUPP: .notSupported
            case ENODATA: .noExtendedAttribute
            case ERANGE, E2BIG: .extendedAttributeTooBig
            case EBUSY: .fileOpen
            case ETXTBSY: .accessDenied
            case ENOMEM, EMFILE, ENFILE, EAGAIN, EINTR: .delay
            case TreeError.badHandle.number: .badHandle
            default: .serverFault
            }
    }
}
