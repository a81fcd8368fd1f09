import BootModel
import ByteCoding
import Digests
import NetworkTypes

/// The changes of one commit as they stand in the lease journal.
///
///     magic "DLJ1"    generation, 8 bytes    length of the records, 4 bytes    first 8 bytes of their SHA-256
///     records
///
/// The digest covers generation and length too, so that what a power cut left half written, or what an earlier use of
/// the file left behind, is never taken for a commit.
enum LeaseFrame {
    static let magic: UInt32 = 0x444c_4a31
    static let headerSize = 24
    /// No commit is larger; a length beyond it is damage.
    static let limit = 64 << 20

    /// One commit's bytes.
    ///
    /// Throws `DigestError` when libcrypto cannot work.
    static func encode(_ changes: [LeaseChange], generation: UInt64) throws -> [UInt8] {
        var records = ByteWriter(capacity: 64 * changes.count)
        for change in changes { write(change, to: &records) }
        var frame = ByteWriter(capacity: headerSize + records.count)
        frame.writeUInt32(magic)
        frame.writeUInt64(generation)
        frame.writeUInt32(UInt32(records.count))
        frame.writeUInt64(try digest(generation, records.bytes))
        frame.writeBytes(records.bytes)
        return frame.bytes
    }

    /// The commit that begins at `offset`, and where the next one does; nil when none begins there.
    static func decode(_ bytes: [UInt8], at offset: Int) -> (generation: UInt64, changes: [LeaseChange], next: Int)? {
        guard offset <= bytes.count else { return nil }
        var reader = ByteReader(bytes.span.extracting(offset..<bytes.count))
        do {
            guard try reader.readUInt32() == magic else { return nil }
            let generation = try reader.readUInt64()
            let length = Int(try reader.readUInt32())
            let expected = try reader.readUInt64()
            guard length <= limit else { return nil }
            let records = try reader.readBytes(length)
            guard try digest(generation, records) == expected else { return nil }
            var changes: [LeaseChange] = []
            var inner = ByteReader(records.span)
            while !inner.isAtEnd { changes.append(try read(&inner)) }
            return (generation, changes, offset + headerSize + length)
        } catch {
            return nil
        }
    }

    private static func digest(_ generation: UInt64, _ records: [UInt8]) throws -> UInt64 {
        var head = ByteWriter(capacity: 16)
        head.writeUInt64(generation)
        head.writeUInt64(UInt64(records.count))
        var hasher = try SHA256Hasher()
        try hasher.update(head.bytes.span)
        try hasher.update(records.span)
        return try hasher.finish().bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func write(_ change: LeaseChange, to writer: inout ByteWriter) {
        switch change {
        case .remove(let address):
            writer.writeUInt8(0)
            writer.writeUInt32(address.value)
        case .set(let lease):
            writer.writeUInt8(lease.state == .bound ? 1 : 2)
            writer.writeUInt32(lease.address.value)
            writer.writeUInt64(lease.mac.value)
            for moment in [lease.granted, lease.expires, lease.kept] {
                writer.writeUInt64(UInt64(bitPattern: moment.microseconds))
            }
            write(lease.network.text, to: &writer)
            writer.writeUInt8(lease.hostname == nil ? 0 : 1)
            if let hostname = lease.hostname { write(hostname, to: &writer) }
        }
    }

    private static func write(_ text: String, to writer: inout ByteWriter) {
        let bytes = Array(text.utf8.prefix(Int(UInt16.max)))
        writer.writeUInt16(UInt16(bytes.count))
        writer.writeBytes(bytes)
    }

    private struct Damaged: Error {}

    private static func read(_ reader: inout ByteReader) throws -> LeaseChange {
        let kind = try reader.readUInt8()
        let address = IPv4Address(value: try reader.readUInt32())
        if kind == 0 { return .remove(address) }
        let mac = MACAddress(value: try reader.readUInt64())
        func moment() throws -> Timestamp {
            Timestamp(microseconds: Int64(bitPattern: try reader.readUInt64()))
        }
        let (granted, expires, kept) = (try moment(), try moment(), try moment())
        guard let network = NetworkName(try text(&reader)) else { throw Damaged() }
        let hostname = try reader.readUInt8() == 0 ? nil : try text(&reader)
        return .set(
            Lease(
                address: address,
                mac: mac,
                network: network,
                state: kind == 1 ? .bound : .declined,
                granted: granted,
                expires: expires,
                kept: kept,
                hostname: hostname
            )
        )
    }

    private static func text(_ reader: inout ByteReader) throws -> String {
        String(decoding: try reader.readBytes(Int(try reader.readUInt16())), as: UTF8.self)
    }
}
