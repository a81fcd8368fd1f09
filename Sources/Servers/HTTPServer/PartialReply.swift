import HTTP1
import NetworkIO

/// The reply to a range of a file that is kept open, but for the numbers and the date.
struct PartialReply {
    let kept: OpenFiles.OpenFile
    let file: FileDescriptor
    /// Where the content begins in the file.
    let offset: UInt64
    let size: UInt64
    /// Whether another request may follow.
    let keepsConnection: Bool
    /// The head up to the first number.
    private let front: [UInt8]
    /// What stands between the range and the length.
    private let middle: [UInt8]
    /// What follows the length, with `Date: ` as its end.
    private let back: [UInt8]

    /// The reply to all ranges that a GET without conditions can ask for; nil where the answer is not a file for anyone.
    init?(_ response: HTTPResponse, to request: HTTPRequestHead) {
        guard case .file(let file) = response.body, let kept = file.kept, response.isForAnyone, response.status == .ok,
            request.method != .head
        else { return nil }
        self.kept = kept
        self.file = file.descriptor
        offset = file.offset
        size = file.size
        keepsConnection = request.keepsConnection
        var front: [UInt8] = []
        HTTPResponseHead.writeStatus(.partialContent, to: &front)
        for field in response.fields { HTTPResponseHead.writeField(field.name, field.value, to: &front) }
        file.writeFields(to: &front)
        self.front = front + Array("Content-Range: bytes ".utf8)
        middle = Array("/\(size)\r\nContent-Length: ".utf8)
        back = Array("\r\n\(keepsConnection ? "" : "Connection: close\r\n")Date: ".utf8)
    }

    /// The part of the content that these numbers ask for; nil when that is another answer than a part.
    func part(first: UInt64, last: UInt64) -> Range<UInt64>? {
        guard first <= last, first < size else { return nil }
        return first..<min(last, size - 1) + 1
    }

    /// Writes the head for a part; false when it does not fit.
    func writeHead(for part: Range<UInt64>, date: [UInt8], to out: inout ReplyBuffer) -> Bool {
        out.put(front) && out.put(decimal: part.lowerBound) && out.put(0x2D) && out.put(decimal: part.upperBound - 1)
            && out.put(middle) && out.put(decimal: UInt64(part.count)) && out.put(back) && out.put(date)
    }
}
