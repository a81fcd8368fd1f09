import NFS4
import ONCRPC
import XDR

extension Conversation {
    /// What doing a compound twice could do.
    ///
    /// Told by the first operation that is not on the way to a file, as clients put nothing that changes something behind
    /// one that reads. Sessions keep their replies themselves, but not over a restart.
    static func repetition4(_ arguments: RawSpan) -> Repetition {
        var reader = XDRReader(arguments)
        guard (try? reader.readOpaque(limit: NFS4.tagLimit)) != nil,
            let minor = try? reader.readUInt32(), let count = try? reader.readUInt32()
        else { return .harmless }
        for _ in 0..<min(count, UInt32(NFS4.operationLimit)) {
            guard let next = try? reader.readUInt32() else { return .harmless }
            switch NFS4Operation(rawValue: next) {
            case .sequence: guard (try? reader.readFixedOpaque(sequenceSize)) != nil else { return .harmless }
            case .putRootHandle, .putPublicHandle, .saveHandle: continue
            case .putHandle: guard (try? NFS4FileHandle(decoding: &reader)) != nil else { return .harmless }
            case .lookup: guard (try? reader.readOpaque(limit: NFS4.textLimit)) != nil else { return .harmless }
            case .create, .remove, .rename, .link: return .lasting
            case .setAttributes, .open: return minor == 0 ? .once : .harmless
            default: return .harmless
            }
        }
        return .harmless
    }

    /// The arguments of SEQUENCE, in bytes (RFC 8881, section 18.46).
    private static var sequenceSize: Int { 16 + 4 * 4 }
}

extension NFS4CallbackPlace {
    /// The same without a way to get there.
    var withoutAddress: Self {
        Self(program: program, network: [], address: [], identifier: identifier)
    }
}
