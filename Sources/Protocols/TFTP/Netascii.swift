/// Text as it travels in netascii mode (RFC 1350 section 1, RFC 764): line feed as CR LF, carriage return as CR NUL.
public enum Netascii {
    /// The bytes on the wire for the bytes of a file.
    public static func encode(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var encoded: [UInt8] = []
        for byte in bytes {
            switch byte {
            case 0x0A: encoded += [0x0D, 0x0A]
            case 0x0D: encoded += [0x0D, 0x00]
            default: encoded.append(byte)
            }
        }
        return encoded
    }
}
