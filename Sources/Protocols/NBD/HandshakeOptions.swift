import ByteCoding

// One function for each option, and the answers to those that the caller must decide.
extension NBDHandshake {
    mutating func perform(_ option: NBDOption, data: Span<UInt8>) -> [Action] {
        if tls == .required, !isEncrypted, option != .startTLS, option != .abort {
            // NBD_OPT_EXPORT_NAME has no way to say no.
            if option == .exportName { return close("this server speaks only TLS") }
            return refuse(option, .tlsRequired, "this server speaks only TLS")
        }
        return switch option {
        case .startTLS: startTLS(data)
        case .exportName: openByName(data)
        case .abort: [reply(option, .acknowledged)] + close(nil)
        case .list: list(data)
        case .info, .go: open(option, data)
        case .structuredReply: chooseHeaders(option, data)
        case .extendedHeaders: chooseHeaders(option, data)
        case .listMetaContext, .setMetaContext: metaContext(option, data)
        default: refuse(option, .unsupported, "this server does not know \(option)")
        }
    }

    /// Forgets what was agreed in the clear (protocol document, "TLS support").
    private mutating func startTLS(_ data: Span<UInt8>) -> [Action] {
        guard tls != .unavailable else {
            return refuse(.startTLS, .policy, "this server has no certificate")
        }
        guard data.isEmpty, !isEncrypted else {
            return refuse(.startTLS, .invalid, isEncrypted ? "TLS is on already" : "the option has no data")
        }
        isEncrypted = true
        headers = .simple
        allocationChosenFor = nil
        return [reply(.startTLS, .acknowledged), .startTLS]
    }

    private mutating func openByName(_ data: Span<UInt8>) -> [Action] {
        guard headers != .extended else { return close("NBD_OPT_EXPORT_NAME after extended headers were agreed") }
        var reader = ByteReader(data)
        guard data.count <= Self.maximumNameLength, let name = try? decodeName(reader.readRemainingBytes()) else {
            return close("an export name that is too long or not UTF-8")
        }
        state = .opening(.exportName, name: name, wanted: [])
        return [.openExport(name: name, purpose: .transmission)]
    }

    private mutating func open(_ option: NBDOption, _ data: Span<UInt8>) -> [Action] {
        do {
            let payload = try InfoPayload(data)
            state = .opening(option, name: payload.name, wanted: payload.wanted)
            return [.openExport(name: payload.name, purpose: option == .go ? .transmission : .information)]
        } catch { return refuse(option, .invalid, error.text) }
    }

    private mutating func list(_ data: Span<UInt8>) -> [Action] {
        guard data.isEmpty else { return refuse(.list, .invalid, "the option has no data") }
        state = .listing
        return [.listExports]
    }

    private mutating func chooseHeaders(_ option: NBDOption, _ data: Span<UInt8>) -> [Action] {
        guard data.isEmpty else { return refuse(option, .invalid, "the option has no data") }
        if option == .extendedHeaders {
            headers = .extended
        } else {
            guard headers != .extended else {
                return refuse(option, .extendedHeadersRequired, "extended headers were agreed, which replace these")
            }
            headers = .structured
        }
        return [reply(option, .acknowledged)]
    }

    private mutating func metaContext(_ option: NBDOption, _ data: Span<UInt8>) -> [Action] {
        guard headers != .simple else { return refuse(option, .invalid, "ask for structured replies first") }
        if option == .setMetaContext { allocationChosenFor = nil }
        do {
            let payload = try MetaContextPayload(data)
            let asked =
                payload.queries.contains(Self.allocation.name)
                || option == .listMetaContext && (payload.queries.isEmpty || payload.queries.contains("base:"))
            guard asked else { return [reply(option, .acknowledged)] }
            if option == .setMetaContext { allocationChosenFor = payload.name }
            var context = ByteWriter()
            context.writeUInt32(option == .setMetaContext ? Self.allocation.identifier : 0)
            context.writeText(Self.allocation.name)
            return [reply(option, .metaContext, context.bytes), reply(option, .acknowledged)]
        } catch { return refuse(option, .invalid, error.text) }
    }

    /// Answers `openExport`; nothing happens when no export was asked for.
    public mutating func answer(export: Result<NBDExportDescription, NBDExportRefusal>) -> [Action] {
        guard case .opening(let option, let name, let wanted) = state else { return [] }
        state = .options
        switch export {
        case .failure(let refusal):
            // NBD_OPT_EXPORT_NAME has no way to say no.
            if option == .exportName { return close(refusal.reason) }
            return refuse(option, refusal.code, refusal.reason)
        case .success(var description):
            if headers != .simple { description.flags.insert(.doNotFragment) }
            let session = NBDSession(
                exportName: name,
                size: description.size,
                flags: description.flags,
                headers: headers,
                allocationContext: allocationChosenFor == name ? Self.allocation.identifier : nil
            )
            if option == .exportName {
                state = .done
                return [.send(exportNameReply(description)), .beginTransmission(session)]
            }
            let replies = infoReplies(option, name: name, wanted: wanted, description)
            guard option == .go else { return replies }
            state = .done
            return replies + [.beginTransmission(session)]
        }
    }

    /// Answers `listExports`; nothing happens when no list was asked for.
    public mutating func answer(list exports: [NBDListedExport]) -> [Action] {
        guard state == .listing else { return [] }
        state = .options
        let lines = exports.map { export in
            var line = ByteWriter()
            let name = Array(export.name.utf8.prefix(Self.maximumNameLength))
            line.writeUInt32(UInt32(name.count))
            line.writeBytes(name)
            line.writeBytes((export.text ?? "").utf8.prefix(Self.maximumNameLength))
            return reply(.list, .server, line.bytes)
        }
        return lines + [reply(.list, .acknowledged)]
    }

    private func exportNameReply(_ description: NBDExportDescription) -> [UInt8] {
        var writer = ByteWriter(capacity: 134)
        writer.writeUInt64(description.size)
        writer.writeUInt16(description.flags.rawValue)
        if !noZeroes { writer.writeZeros(124) }
        return writer.bytes
    }

    private func infoReplies(
        _ option: NBDOption,
        name: String,
        wanted: [NBDInfo],
        _ description: NBDExportDescription
    ) -> [Action] {
        var export = ByteWriter()
        export.writeUInt16(NBDInfo.export.rawValue)
        export.writeUInt64(description.size)
        export.writeUInt16(description.flags.rawValue)
        var replies = [reply(option, .info, export.bytes)]
        if wanted.contains(.name) { replies.append(textReply(option, .name, name)) }
        if wanted.contains(.description), let text = description.text {
            replies.append(textReply(option, .description, text))
        }
        if wanted.contains(.blockSize) {
            var sizes = ByteWriter()
            sizes.writeUInt16(NBDInfo.blockSize.rawValue)
            sizes.writeUInt32(description.minimumBlockSize)
            sizes.writeUInt32(description.preferredBlockSize)
            sizes.writeUInt32(NBDSession.maximumPayload)
            replies.append(reply(option, .info, sizes.bytes))
        }
        return replies + [reply(option, .acknowledged)]
    }

    private func textReply(_ option: NBDOption, _ info: NBDInfo, _ text: String) -> Action {
        var writer = ByteWriter()
        writer.writeUInt16(info.rawValue)
        writer.writeBytes(text.utf8.prefix(Self.maximumNameLength))
        return reply(option, .info, writer.bytes)
    }

    func refuse(_ option: NBDOption, _ code: NBDOptionReply, _ reason: String) -> [Action] {
        [reply(option, code, Array(reason.utf8.prefix(Self.maximumNameLength)))]
    }

    func reply(_ option: NBDOption, _ type: NBDOptionReply, _ data: [UInt8] = []) -> Action {
        var writer = ByteWriter(capacity: 20 + data.count)
        writer.writeUInt64(0x0003_e889_0455_65a9)
        writer.writeUInt32(option.rawValue)
        writer.writeUInt32(type.rawValue)
        writer.writeUInt32(UInt32(data.count))
        writer.writeBytes(data)
        return .send(writer.bytes)
    }
}
