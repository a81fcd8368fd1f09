/// Options within an option: code, length, value, as in options 43, 82 and 175.
public struct EncapsulatedOptions: Hashable, Sendable {
    /// One sub-option.
    public struct Entry: Hashable, Sendable {
        /// Its code, with a meaning that depends on the outer option.
        public var code: UInt8
        /// Its value, up to 255 bytes.
        public var value: [UInt8]

        /// A sub-option from its parts; a value longer than 255 bytes is cut.
        public init(_ code: UInt8, _ value: [UInt8]) {
            self.code = code
            self.value = value.count <= 255 ? value : Array(value.prefix(255))
        }
    }

    /// The sub-options in the order they stand.
    public var entries: [Entry]
    /// Whether END (255) closes them: wanted in option 43, optional in 175, never in 82.
    public var isEnded: Bool

    /// Sub-options from entries.
    public init(_ entries: [Entry] = [], isEnded: Bool = false) {
        self.entries = entries
        self.isEnded = isEnded
    }

    /// From the value of option `code`.
    ///
    /// With `marks`, 0 is padding and 255 the end; without, both are codes.
    init(decoding value: [UInt8], of code: DHCPOptionCode, marks: Bool) throws(DHCPOptionError) {
        self.init()
        var position = 0
        while position < value.count {
            let subcode = value[position]
            if marks, subcode == 0 {
                position += 1
                continue
            }
            if marks, subcode == 255 {
                isEnded = true
                return
            }
            guard position + 1 < value.count, position + 2 + Int(value[position + 1]) <= value.count else {
                throw DHCPOptionError(code, "sub-option \(subcode) runs over the end")
            }
            let end = position + 2 + Int(value[position + 1])
            entries.append(Entry(subcode, Array(value[position + 2..<end])))
            position = end
        }
    }

    /// The value of the first sub-option with `code`.
    public func first(_ code: UInt8) -> [UInt8]? {
        entries.first { $0.code == code }?.value
    }

    /// The outer option's value.
    public func encode() -> [UInt8] {
        entries.flatMap { [$0.code, UInt8($0.value.count)] + $0.value } + (isEnded ? [255] : [])
    }
}
