public import NetworkIO

/// Content of a known size that is put together while it is sent: from memory, from parts of files, from nothing.
///
/// The server answers Range, If-Range, If-None-Match and HEAD for it, as for a file.
public struct HTTPPieces: Sendable {
    /// A run of the content.
    public enum Piece: Sendable {
        /// These bytes.
        case bytes([UInt8])
        /// A part of an open file.
        case file(FileDescriptor, Range<UInt64>)
        /// So many zero bytes.
        case zeros(UInt64)

        /// How many bytes it has.
        public var size: UInt64 {
            switch self {
            case .bytes(let bytes): UInt64(bytes.count)
            case .file(_, let range): UInt64(range.count)
            case .zeros(let count): count
            }
        }
    }

    /// The content in order.
    public var pieces: [Piece]
    /// A strong entity tag with its quotes: it changes when the bytes do.
    public var tag: String
    /// How many bytes it has.
    public let size: UInt64

    /// Content from its pieces.
    public init(_ pieces: [Piece], tag: String) {
        self.pieces = pieces
        self.tag = tag
        size = pieces.reduce(0) { $0 + $1.size }
    }

    /// The pieces that make up a part of the content.
    func part(_ range: Range<UInt64>) -> [Piece] {
        var start: UInt64 = 0
        var found: [Piece] = []
        for piece in pieces {
            let end = start + piece.size
            let low = max(start, range.lowerBound) - start
            let high = min(end, range.upperBound)
            if high > start + low {
                let length = high - start - low
                switch piece {
                case .bytes(let bytes): found.append(.bytes(Array(bytes[Int(low)..<Int(low + length)])))
                case .file(let file, let place):
                    found.append(.file(file, place.lowerBound + low..<place.lowerBound + low + length))
                case .zeros: found.append(.zeros(length))
                }
            }
            start = end
        }
        return found
    }
}
