/// What a fuzz target calls: everything that reads bytes from the network, with the properties that must hold.
public enum DHCPFuzzing {
    /// Decodes, reads every option, prints, encodes, decodes again; true when the bytes are a message.
    ///
    /// Traps when a message does not encode to the bytes it came from: that is the bug to be found.
    @discardableResult
    public static func decode(_ bytes: Span<UInt8>) -> Bool {
        guard let message = try? DHCPMessage(decoding: bytes) else { return false }
        let encoded = message.encode()
        precondition(encoded.count == bytes.count, "encoding changed the length")
        for index in 0..<encoded.count {
            precondition(encoded[index] == bytes[index], "encoding changed byte \(index)")
        }
        read(message)
        let reply = message.encodeReply(limit: message.payloadLimit)
        precondition((try? DHCPMessage(decoding: reply.bytes.span)) != nil, "a reply cannot be decoded")
        _ = DHCPReplyDestination(of: message, to: message).description
        return true
    }

    private static func read(_ message: DHCPMessage) {
        _ = message.description
        _ = message.parameterRequestList()
        _ = (message.vendorClass()?.architecture, message.vendorClass()?.networkInterfaceVersion)
        _ = (message.hostName(), message.domainName(), message.bootFileName(), message.tftpServerName())
        _ = try? message.messageType()
        _ = try? message.requestedAddress()
        _ = try? message.leaseTime()
        _ = try? message.nameServers()
        _ = try? message.maximumMessageSize()
        _ = try? message.clientIdentifier()
        _ = try? message.userClasses()
        _ = (try? message.relayAgentInformation())?.linkSelection
        _ = try? message.clientArchitectures()
        _ = try? message.networkInterface()
        _ = try? message.machineUUID()
        _ = (try? message.pxeVendorOptions())?.menu
        _ = try? message.bootItem()
        _ = (try? message.ipxeOptions())?.version
    }
}
