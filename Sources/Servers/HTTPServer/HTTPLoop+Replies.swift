import CLinux
import HTTP1
import Logging
import NetworkIO
import NetworkTypes
import Synchronization

/// How replies leave.
extension HTTPLoop {
    /// Answers what was no request; the connection ends.
    mutating func refuse(_ connection: HTTPConnection, _ status: HTTPStatus, _ message: String) {
        around.logger.info("HTTP \(connection.peer): refused: \(message.printable)")
        connection.pending = []
        send(PreparedReply(refusing: status, message), on: connection, nil, now)
    }

    /// Sends a reply, or as much of it as the kernel takes now; it is reported if `request` is given.
    mutating func send(
        _ reply: PreparedReply,
        on connection: HTTPConnection,
        _ request: HTTPRequest?,
        _ began: UInt64
    ) {
        var account = ReplyAccount(
            request: request,
            status: reply.status,
            expected: reply.length,
            began: began,
            keepsConnection: reply.keepsConnection
        )
        out.clear()
        guard out.put(reply.front), out.put(dateAndEnd) else {
            account.keepsConnection = false
            return hold(OutgoingReply(bytes: reply.front + dateAndEnd, account: account), reply.content, connection)
        }
        let isJoined =
            switch reply.content {
            case .none: true
            case .bytes(let bytes): out.put(bytes)
            case .pieces: false
            case .file(let file, let range): joins(file, range)
            }
        emit(isJoined ? .none : reply.content, on: connection, account)
    }

    /// Sends a part of a file; it is reported if `request` is given.
    mutating func send(
        _ reply: PartialReply,
        _ part: Range<UInt64>,
        on connection: HTTPConnection,
        _ request: HTTPRequest?
    ) {
        let account = ReplyAccount(
            request: request,
            status: .partialContent,
            expected: UInt64(part.count),
            began: now,
            keepsConnection: reply.keepsConnection
        )
        out.clear()
        let range = reply.offset + part.lowerBound..<reply.offset + part.upperBound
        guard reply.writeHead(for: part, date: dateAndEnd, to: &out) else {
            // Nobody's fields are that long; the connection's end says that there is no answer.
            return close(connection)
        }
        emit(joins(reply.file, range) ? .none : .file(reply.file, range), on: connection, account)
    }

    private mutating func joins(_ file: FileDescriptor, _ range: Range<UInt64>) -> Bool {
        range.count <= ReplyBuffer.smallContent && out.read(file, range)
    }

    /// Sends what lies in the buffer and the content behind it.
    private mutating func emit(
        _ content: PreparedReply.Content,
        on connection: HTTPConnection,
        _ account: ReplyAccount
    ) {
        if case .none = content {
            let sent = max(0, out.send(connection.socket, moreFollows: false))
            guard sent < out.count else { return complete(connection, account) }
            return hold(OutgoingReply(bytes: out.rest(after: sent), account: account), content, connection)
        }
        let sent = max(0, out.send(connection.socket, moreFollows: true))
        guard sent == out.count, case .file(let file, let range) = content else {
            return hold(OutgoingReply(bytes: out.rest(after: sent), account: account), content, connection)
        }
        // What is wrong with the file or the socket shows when it is tried again.
        var offset = off_t(range.lowerBound)
        let count = unsafe sendfile(connection.socket, file.number, &offset, min(range.count, Self.turnBytes))
        guard count < range.count else { return complete(connection, account) }
        let left = range.lowerBound + UInt64(max(0, count))..<range.upperBound
        hold(OutgoingReply(bytes: [], account: account), .file(file, left), connection)
    }

    /// Keeps what could not be sent at once.
    private mutating func hold(
        _ reply: OutgoingReply,
        _ content: PreparedReply.Content,
        _ connection: HTTPConnection
    ) {
        var reply = reply
        switch content {
        case .none: break
        case .bytes(let bytes): reply.bytes += bytes
        case .file(let file, let range): reply.file = (file, range)
        case .pieces(let pieces): reply.pieces = pieces[...]
        }
        connection.entry.idleSince.store(0, ordering: .relaxed)
        connection.deadline = now + seconds(around.options.stallSeconds)
        connection.phase = .sending(reply)
    }

    /// Sends on; false when the connection has to wait, or is over.
    mutating func flush(_ connection: HTTPConnection) -> Bool {
        guard case .sending(var reply) = connection.phase else { return true }
        let before = reply.unsent
        let outcome = push(&reply, connection.socket)
        if reply.unsent != before {
            connection.deadline = now + seconds(around.options.stallSeconds)
        }
        switch outcome {
        case .complete:
            complete(connection, reply.account)
            return !isOver(connection)
        case .failed:
            cut(connection, reply)
            return false
        case .blocked:
            connection.phase = .sending(reply)
            return false
        case .turnOver:
            connection.phase = .sending(reply)
            yield(connection)
            return false
        }
    }

    private enum Outcome { case complete, blocked, failed, turnOver }

    private func push(_ reply: inout OutgoingReply, _ socket: CInt) -> Outcome {
        var turn = Self.turnBytes
        repeat {
            if let stop = pushBytes(&reply, socket, &turn) ?? pushFile(&reply, socket, &turn) { return stop }
        } while reply.takeNextPiece()
        return .complete
    }

    /// Sends what lies in memory; nil when all of it is out.
    private func pushBytes(_ reply: inout OutgoingReply, _ socket: CInt, _ turn: inout Int) -> Outcome? {
        let flags = CInt(MSG_NOSIGNAL) | (reply.file == nil && reply.pieces.isEmpty ? 0 : CInt(MSG_MORE))
        while reply.position < reply.bytes.count {
            guard turn > 0 else { return .turnOver }
            let start = reply.position
            let count = unsafe reply.bytes.withUnsafeBytes {
                unsafe CLinux.send(socket, $0.baseAddress.map { unsafe $0 + start }, $0.count - start, flags)
            }
            guard count >= 0 else {
                let number = clinux_errno()
                if number == EINTR { continue }
                return number == EAGAIN ? .blocked : .failed
            }
            reply.position += count
            turn -= count
        }
        return nil
    }

    /// Sends what lies in a file, without copying it through this process; nil when all of it is out.
    private func pushFile(_ reply: inout OutgoingReply, _ socket: CInt, _ turn: inout Int) -> Outcome? {
        guard let file = reply.file else { return nil }
        var offset = off_t(file.left.lowerBound)
        let end = off_t(file.left.upperBound)
        defer { reply.file?.left = UInt64(offset)..<UInt64(end) }
        while offset < end {
            guard turn > 0 else { return .turnOver }
            let count = unsafe sendfile(socket, file.descriptor.number, &offset, min(Int(end - offset), turn))
            if count > 0 {
                turn -= count
                continue
            }
            // The file has become shorter: the client sees that from the length it was told.
            if count == 0 { return .failed }
            let number = clinux_errno()
            if number == EINTR { continue }
            return number == EAGAIN ? .blocked : .failed
        }
        return nil
    }

    /// A reply is out.
    private mutating func complete(_ connection: HTTPConnection, _ account: ReplyAccount) {
        if let report = account.report(unsent: 0, isComplete: true) { around.tell(report) }
        if account.keepsConnection { return rest(connection) }
        // Closing with unread bytes resets the connection, and the client might never see the reply.
        shutdown(connection.socket, CInt(SHUT_WR))
        connection.isReadable = true
        connection.deadline = now + seconds(1)
        connection.phase = .lingering
    }
}
