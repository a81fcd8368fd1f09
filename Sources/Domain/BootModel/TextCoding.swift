/// Decodes a value that is written as its text form; the error repeats the text and names the kind.
func decodeText<Value: LosslessStringConvertible>(from decoder: any Decoder, _ kind: String) throws -> Value {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Value(text) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is not a \(kind)")
    }
    return value
}

/// Encodes a value as its text form.
func encodeText(_ value: some CustomStringConvertible, to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value.description)
}
