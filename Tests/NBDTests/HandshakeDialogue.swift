import ByteCoding
import NBD

/// A client and the machine talking: each line sends bytes and returns what came back.
struct HandshakeDialogue {
    var machine: NBDHandshake
    private var unread: [UInt8] = []
    /// What to answer when the machine asks for an export.
    var exports: [String: NBDExportDescription] = [:]
    /// The session, once the handshake is over.
    private(set) var session: NBDSession?
    /// The reason of a close; `.some(nil)` when the client wanted it.
    private(set) var closed: String??
    /// The exports that the machine asked for, in order.
    private(set) var asked: [NBDExportPurpose] = []

    /// How often TLS was begun.
    private(set) var tunnels = 0

    init(exports: [String: NBDExportDescription] = [:], flags: UInt32? = 3, tls: NBDEncryption = .unavailable) {
        machine = NBDHandshake(tls: tls)
        self.exports = exports
        if let flags { _ = send(bytes { $0.writeUInt32(flags) }) }
    }

    /// Sends bytes; returns the bytes that came back.
    mutating func send(_ bytes: [UInt8]) -> [UInt8] {
        unread += bytes
        var output: [UInt8] = []
        while session == nil, closed == nil {
            let input = unread
            let step = machine.receive(input.span)
            unread.removeFirst(step.consumed)
            run(step.actions, &output)
            if step.consumed == 0 { break }
        }
        return output
    }

    private mutating func run(_ actions: [NBDHandshake.Action], _ output: inout [UInt8]) {
        for action in actions {
            switch action {
            case .send(let bytes): output += bytes
            case .openExport(let name, let purpose):
                asked.append(purpose)
                let refusal = NBDExportRefusal(.unknown, "no export \(name)")
                run(machine.answer(export: exports[name].map { .success($0) } ?? .failure(refusal)), &output)
            case .listExports:
                let list = exports.keys.sorted().map { NBDListedExport(name: $0, text: exports[$0]?.text) }
                run(machine.answer(list: list), &output)
            case .startTLS: tunnels += 1
            case .beginTransmission(let agreed): session = agreed
            case .close(let reason): closed = .some(reason)
            }
        }
    }

    /// Sends an option; returns the replies as (type, data).
    mutating func option(_ option: NBDOption, _ data: [UInt8] = []) -> [OptionAnswer] {
        parse(send(optionBytes(option, data)), of: option)
    }

    private func parse(_ bytes: [UInt8], of option: NBDOption) -> [OptionAnswer] {
        var reader = ByteReader(bytes.span)
        var answers: [OptionAnswer] = []
        while let magic = try? reader.readUInt64() {
            guard magic == 0x0003_e889_0455_65a9, (try? reader.readUInt32()) == option.rawValue,
                let type = try? reader.readUInt32(), let length = try? reader.readUInt32(),
                let data = try? reader.readBytes(Int(length))
            else { return [] }
            answers.append(OptionAnswer(type: NBDOptionReply(rawValue: type), data: data))
        }
        return answers
    }
}

struct OptionAnswer: Equatable {
    var type: NBDOptionReply
    var data: [UInt8]
}

func bytes(_ write: (inout ByteWriter) -> Void) -> [UInt8] {
    var writer = ByteWriter()
    write(&writer)
    return writer.bytes
}

func optionBytes(_ option: NBDOption, _ data: [UInt8] = []) -> [UInt8] {
    bytes {
        $0.writeText("IHAVEOPT")
        $0.writeUInt32(option.rawValue)
        $0.writeUInt32(UInt32(data.count))
        $0.writeBytes(data)
    }
}

/// Data of NBD_OPT_INFO and NBD_OPT_GO.
func open(_ name: String, _ wanted: NBDInfo...) -> [UInt8] {
    bytes {
        $0.writeUInt32(UInt32(name.utf8.count))
        $0.writeText(name)
        $0.writeUInt16(UInt16(wanted.count))
        for info in wanted { $0.writeUInt16(info.rawValue) }
    }
}

/// Data of the metadata context options.
func contexts(_ name: String, _ queries: String...) -> [UInt8] {
    bytes {
        $0.writeUInt32(UInt32(name.utf8.count))
        $0.writeText(name)
        $0.writeUInt32(UInt32(queries.count))
        for query in queries {
            $0.writeUInt32(UInt32(query.utf8.count))
            $0.writeText(query)
        }
    }
}
