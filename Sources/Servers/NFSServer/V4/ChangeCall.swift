import NFS4
import ONCRPC
import XDR

extension Conversation {
    /// Whether doing a compound of version 4.0 twice could do harm; sessions keep their replies themselves.
    ///
    /// Told by the operation behind the first handle, as clients put nothing that changes something behind one that reads.
    static func isChange4(_ record: RawSpan) -> Bool {
        var reader = XDRReader(record)
        guard let call = try? RPCCall(decoding: &reader), call.procedure == 1,
            (try? reader.readOpaque(limit: NFS4.tagLimit)) != nil,
            (try? reader.readUInt32()) == 0, let count = try? reader.readUInt32(), count > 1,
            (try? reader.readUInt32()) == NFS4Operation.putHandle.rawValue,
            (try? NFS4FileHandle(decoding: &reader)) != nil, let next = try? reader.readUInt32()
        else { return false }
        switch NFS4Operation(rawValue: next) {
        case .create, .remove, .saveHandle, .setAttributes, .open: return true
        default: return false
        }
    }
}

extension NFS4CallbackPlace {
    /// The same without a way to get there.
    var withoutAddress: Self {
        Self(program: program, network: [], address: [], identifier: identifier)
    }
}
