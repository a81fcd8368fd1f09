import NFS4
import ONCRPC
import XDR

extension Conversation {
    /// Whether doing a compound of version 4.0 twice could do harm; sessions keep their replies themselves.
    ///
    /// Told by the first operation that is not on the way to a file, as clients put nothing that changes something behind
    /// one that reads.
    static func isChange4(_ record: RawSpan) -> Bool {
        var reader = XDRReader(record)
        guard let call = try? RPCCall(decoding: &reader), call.procedure == 1,
            (try? reader.readOpaque(limit: NFS4.tagLimit)) != nil,
            (try? reader.readUInt32()) == 0, let count = try? reader.readUInt32()
        else { return false }
        for _ in 0..<min(count, UInt32(NFS4.operationLimit)) {
            guard let next = try? reader.readUInt32() else { return false }
            switch NFS4Operation(rawValue: next) {
            case .putRootHandle, .putPublicHandle, .saveHandle: continue
            case .putHandle: guard (try? NFS4FileHandle(decoding: &reader)) != nil else { return false }
            case .lookup: guard (try? reader.readOpaque(limit: NFS4.textLimit)) != nil else { return false }
            case .create, .remove, .rename, .link, .setAttributes, .open: return true
            default: return false
            }
        }
        return false
    }
}

extension NFS4CallbackPlace {
    /// The same without a way to get there.
    var withoutAddress: Self {
        Self(program: program, network: [], address: [], identifier: identifier)
    }
}
