import ByteCoding

/// The server's side of the fixed newstyle handshake, as a machine: bytes of the client go in, actions come out.
///
///     greeting ─→ client flags ─→ option ─┬─→ reply, next option
///                                         ├─→ openExport ─(answer)→ reply, next option | transmission
///                                         ├─→ listExports ─(answer)→ reply, next option
///                                         └─→ close
///
/// Source: NetworkBlockDevice/nbd, doc/proto.md, "Fixed newstyle negotiation" and "Option types". The oldstyle
/// handshake is not spoken. Extended headers are of the document's branch extension-ext-header.
public struct NBDHandshake: Sendable {
    /// The longest export name, in bytes (protocol document, "String lengths").
    public static let maximumNameLength = 4096
    /// The longest option data that are read, in bytes; longer ones are skipped and refused.
    public static let maximumOptionLength = 16 << 10
    /// Option data beyond this end the connection, in bytes.
    public static let maximumSkippedLength = 1 << 20
    /// How many options one client may send.
    public static let maximumOptions = 1024
    /// The only metadata context, and its number.
    static let allocation = (name: "base:allocation", identifier: UInt32(1))

    /// What the caller must do, in order.
    public enum Action: Equatable, Sendable {
        /// Send these bytes.
        case send([UInt8])
        /// Find this export and call `answer(export:)`; read nothing before.
        case openExport(name: String, purpose: NBDExportPurpose)
        /// Call `answer(list:)`; read nothing before.
        case listExports
        /// Do the TLS handshake now, before anything else is read or sent; close when it fails.
        ///
        /// Bytes that came behind the option in the clear must not be used: close then too.
        case startTLS
        /// The handshake is over: what follows are requests.
        case beginTransmission(NBDSession)
        /// Close the connection; `reason` is nil when the client wanted it.
        case close(reason: String?)
    }

    enum State: Equatable {
        case clientFlags
        case options
        case skipping(NBDOption, left: Int)
        case opening(NBDOption, name: String, wanted: [NBDInfo])
        case listing
        case done
    }

    var state = State.clientFlags
    let tls: NBDEncryption
    var isEncrypted = false
    var noZeroes = false
    var headers = NBDHeaders.simple
    /// The export for which `base:allocation` was chosen.
    var allocationChosenFor: String?
    var optionCount = 0

    /// A machine that waits for the client's flags; send `greeting` first.
    public init(tls: NBDEncryption = .unavailable) { self.tls = tls }

    /// The first bytes of the server: NBDMAGIC, IHAVEOPT, fixed newstyle and no-zeroes.
    public static var greeting: [UInt8] {
        var writer = ByteWriter(capacity: 18)
        writer.writeText("NBDMAGICIHAVEOPT")
        writer.writeUInt16(3)
        return writer.bytes
    }

    /// Takes one step with what has arrived; `consumed` is 0 when more bytes are needed.
    ///
    /// The caller drops the consumed bytes, does the actions, and calls again while bytes are consumed.
    public mutating func receive(_ input: Span<UInt8>) -> (consumed: Int, actions: [Action]) {
        switch state {
        case .clientFlags: receiveClientFlags(input)
        case .options: receiveOption(input)
        case .skipping(let option, let left): skip(option, left: left, available: input.count)
        case .opening, .listing, .done: (0, [])
        }
    }

    private mutating func receiveClientFlags(_ input: Span<UInt8>) -> (consumed: Int, actions: [Action]) {
        var reader = ByteReader(input)
        guard let flags = try? reader.readUInt32() else { return (0, []) }
        guard flags & ~3 == 0 else { return (4, close("client flags \(String(flags, radix: 16)) are unknown")) }
        noZeroes = flags & 2 != 0
        state = .options
        return (4, [])
    }

    private mutating func receiveOption(_ input: Span<UInt8>) -> (consumed: Int, actions: [Action]) {
        var reader = ByteReader(input)
        guard let magic = try? reader.readUInt64(), let code = try? reader.readUInt32(),
            let length = try? reader.readUInt32()
        else {
            // Eight bytes are enough to see that this is not NBD; do not wait for more of it.
            if input.count >= 8, !Self.startsWithOptionMagic(input) { return (input.count, close("not an NBD option")) }
            return (0, [])
        }
        guard magic == Self.optionMagic else { return (16, close("not an NBD option")) }
        let option = NBDOption(rawValue: code)
        guard optionCount < Self.maximumOptions else { return (16, close("more than \(Self.maximumOptions) options")) }
        guard length <= UInt32(Self.maximumOptionLength) else {
            guard length <= UInt32(Self.maximumSkippedLength), option != .exportName else {
                return (16, close("\(option) with \(length) bytes of data"))
            }
            optionCount += 1
            state = .skipping(option, left: Int(length))
            return (16, [])
        }
        guard reader.remaining >= Int(length) else { return (0, []) }
        // Counted once it is whole: a slow client sends one option in many pieces.
        optionCount += 1
        let data = (try? reader.readBytes(Int(length))) ?? []
        return (16 + Int(length), perform(option, data: data.span))
    }

    private mutating func skip(_ option: NBDOption, left: Int, available: Int) -> (consumed: Int, actions: [Action]) {
        guard available < left else {
            state = .options
            return (left, refuse(option, .tooBig, "more than \(Self.maximumOptionLength) bytes of option data"))
        }
        state = .skipping(option, left: left - available)
        return (available, [])
    }

    static let optionMagic: UInt64 = 0x4948_4156_454F_5054  // "IHAVEOPT"

    private static func startsWithOptionMagic(_ input: Span<UInt8>) -> Bool {
        var reader = ByteReader(input)
        return (try? reader.readUInt64()) == optionMagic
    }

    mutating func close(_ reason: String?) -> [Action] {
        state = .done
        return [.close(reason: reason)]
    }
}
