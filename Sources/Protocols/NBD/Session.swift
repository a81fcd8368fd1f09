/// The headers of a session's requests and replies, as agreed in the handshake.
public enum NBDHeaders: Hashable, Sendable {
    /// Compact requests, simple replies.
    case simple
    /// Compact requests, structured replies (NBD_OPT_STRUCTURED_REPLY).
    case structured
    /// Extended requests and replies, with 64-bit lengths (NBD_OPT_EXTENDED_HEADERS).
    case extended

    /// Bytes of a request's header on the wire.
    public var requestSize: Int { self == .extended ? NBDRequest.extendedHeaderSize : NBDRequest.headerSize }
}

/// What was agreed in the handshake: everything that decides how requests are judged and answered.
public struct NBDSession: Equatable, Sendable {
    /// The export's name as the client gave it.
    public var exportName: String
    /// Size of the export in bytes; another one after a RESIZE.
    public var size: UInt64
    /// What was announced.
    public var flags: NBDTransmissionFlags
    /// The form of requests and replies.
    public var headers: NBDHeaders
    /// The number of the context `base:allocation` if the client chose it.
    public var allocationContext: UInt32?

    /// The longest READ or WRITE, in bytes (32 MiB, the limit that clients assume by themselves).
    public static let maximumPayload: UInt32 = 32 << 20

    /// A session on an export.
    public init(
        exportName: String,
        size: UInt64,
        flags: NBDTransmissionFlags,
        headers: NBDHeaders = .simple,
        allocationContext: UInt32? = nil
    ) {
        self.exportName = exportName
        self.size = size
        self.flags = flags
        self.headers = headers
        self.allocationContext = allocationContext
    }
}

/// Why a request is refused before it reaches the storage.
public struct NBDRequestRefusal: Equatable, Sendable {
    /// The code for the reply.
    public var code: NBDErrorCode
    /// What is wrong, in one line; sent along in structured replies.
    public var reason: StaticString

    init(_ code: NBDErrorCode, _ reason: StaticString) {
        self.code = code
        self.reason = reason
    }

    /// Equal codes; the text is for people.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension NBDSession {
    /// Why `request` must be refused, or nil when the storage may do it (protocol document, "Request types").
    public func refusal(of request: NBDRequest) -> NBDRequestRefusal? {
        guard request.hasPayload == (request.command == .write) else {
            return NBDRequestRefusal(
                .invalid,
                request.hasPayload ? "the command takes no data" : "a write without data"
            )
        }
        switch request.command {
        case .read:
            let allowed: NBDCommandFlags = headers != .simple ? [.doNotFragment, .forceUnitAccess] : [.forceUnitAccess]
            guard request.flags.isSubset(of: allowed) else { return .unknownFlags }
            guard request.length <= UInt64(Self.maximumPayload) else {
                return NBDRequestRefusal(.invalid, "a read is longer than 32 MiB")
            }
            return rangeRefusal(request, pastEnd: .invalid)
        case .write:
            if let refusal = writeRefusal(request, feature: nil) { return refusal }
            guard request.length <= UInt64(Self.maximumPayload) else {
                return NBDRequestRefusal(.invalid, "a write is longer than 32 MiB")
            }
            return rangeRefusal(request, pastEnd: .noSpace)
        case .trim:
            return writeRefusal(request, feature: .trim) ?? rangeRefusal(request, pastEnd: .invalid)
        case .writeZeroes:
            return writeRefusal(request, feature: .writeZeroes, also: .noHole)
                ?? rangeRefusal(request, pastEnd: .noSpace)
        case .flush:
            guard flags.contains(.flush) else { return NBDRequestRefusal(.invalid, "flush was not announced") }
            guard request.flags.isEmpty else { return .unknownFlags }
            guard request.offset == 0, request.length == 0 else {
                return NBDRequestRefusal(.invalid, "a flush has no offset and no length")
            }
            return nil
        case .cache:
            guard flags.contains(.cache) else { return NBDRequestRefusal(.invalid, "the command was not announced") }
            guard request.flags.isEmpty else { return .unknownFlags }
            return rangeRefusal(request, pastEnd: .invalid)
        case .blockStatus:
            guard allocationContext != nil else {
                return NBDRequestRefusal(.invalid, "no metadata context was chosen")
            }
            guard request.flags.isSubset(of: .oneExtent) else { return .unknownFlags }
            return rangeRefusal(request, pastEnd: .invalid)
        case .resize:
            guard flags.contains(.resize) else { return NBDRequestRefusal(.invalid, "the command was not announced") }
            guard request.flags.isEmpty else { return .unknownFlags }
            // Other sessions, which we do not tell, would go on using what is cut off.
            guard request.offset >= size else { return NBDRequestRefusal(.notPermitted, "an export never shrinks") }
            guard request.offset <= UInt64(Int64.max) else {
                return NBDRequestRefusal(.noSpace, "no file is that large")
            }
            return nil
        default:
            return NBDRequestRefusal(.invalid, "unknown command")
        }
    }

    private func writeRefusal(
        _ request: NBDRequest,
        feature: NBDTransmissionFlags?,
        also: NBDCommandFlags = []
    ) -> NBDRequestRefusal? {
        guard !flags.contains(.readOnly) else { return NBDRequestRefusal(.notPermitted, "the export is read-only") }
        if let feature, !flags.contains(feature) {
            return NBDRequestRefusal(.invalid, "the command was not announced")
        }
        let allowed = flags.contains(.forceUnitAccess) ? also.union(.forceUnitAccess) : also
        return request.flags.isSubset(of: allowed) ? nil : .unknownFlags
    }

    private func rangeRefusal(_ request: NBDRequest, pastEnd: NBDErrorCode) -> NBDRequestRefusal? {
        guard request.length > 0 else { return NBDRequestRefusal(.invalid, "the length is zero") }
        guard request.offset <= size, request.length <= size - request.offset else {
            return NBDRequestRefusal(pastEnd, "the range reaches past the end of the export")
        }
        return nil
    }
}

extension NBDRequestRefusal {
    static let unknownFlags = NBDRequestRefusal(.invalid, "a command flag that was not announced")
}
