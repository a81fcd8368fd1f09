extension DHCPMessage {
    /// Classes the client's owner gave it (option 77), each as text.
    ///
    /// RFC 3004 puts a length byte before each class; iPXE sends the bare text `iPXE`. Both are read: when the
    /// lengths do not add up, the whole value is one class.
    public func userClasses() throws(DHCPOptionError) -> [String]? {
        guard let value = joined(.userClass) else { return nil }
        guard !value.isEmpty else { throw DHCPOptionError(.userClass, "empty") }
        var classes: [String] = []
        var position = 0
        while position < value.count {
            let length = Int(value[position])
            guard length > 0, position + 1 + length <= value.count else {
                return [String(decoding: value, as: UTF8.self)]
            }
            classes.append(String(decoding: value[position + 1..<position + 1 + length], as: UTF8.self))
            position += 1 + length
        }
        return classes
    }
}

extension DHCPOption {
    /// Option 77 as iPXE and many servers write it: one class as bare text.
    public static func userClass(raw text: String) -> DHCPOption { DHCPOption(.userClass, Array(text.utf8)) }

    /// Option 77 as RFC 3004 section 4 has it; a class longer than 255 bytes is cut.
    public static func userClasses(_ classes: [String]) -> DHCPOption {
        DHCPOption(.userClass, classes.flatMap { [UInt8(min($0.utf8.count, 255))] + Array($0.utf8.prefix(255)) })
    }
}
