import NFS4
import Testing
import XDR

@Suite("NFS version 4: access lists")
struct AccessTests {
    private typealias Entry = NFS4AccessEntry

    /// What a list grants a user in some groups, asked for one right after another (RFC 8881, section 6.2.1).
    private func granted(_ list: [NFS4AccessEntry], owns: Bool, isOfGroup: Bool, user: UInt32, groups: [UInt32])
        -> UInt32
    {
        var result: UInt32 = 0
        for (right, bit) in [(4, 0x1), (2, 0x2), (1, 0x20)] as [(UInt32, UInt32)] {
            let first = list.first { entry in
                guard entry.rights & bit != 0 else { return false }
                return switch entry.who {
                case .owner: owns
                case .group: isOfGroup
                case .everyone: true
                case .user(let number): number == user
                case .members(let number): groups.contains(number)
                }
            }
            if let first, !first.denies { result |= right }
        }
        return result
    }

    /// What the kernel grants (acl(5)), asked for one right after another.
    private func granted(_ access: NFS4PosixAccess, owns: Bool, isOfGroup: Bool, user: UInt32, groups: [UInt32])
        -> UInt32
    {
        if owns { return access.owner }
        let most = access.mask ?? 7
        if let named = access.users.first(where: { $0.number == user }) { return named.rights & most }
        let mine = access.groups.filter { groups.contains($0.number) }
        guard isOfGroup || !mine.isEmpty else { return access.other }
        return mine.reduce(isOfGroup ? access.group : 0) { $0 | $1.rights } & most
    }

    private static var lists: [NFS4PosixAccess] {
        var all: [NFS4PosixAccess] = []
        for mode in [0o000, 0o777, 0o640, 0o604, 0o046, 0o064, 0o171, 0o525] as [UInt32] {
            for user in 0...7 as ClosedRange<UInt32> {
                var access = NFS4PosixAccess(mode: mode)
                access.users = [.init(number: 7, rights: user), .init(number: 8, rights: ~user & 7)]
                access.groups = [.init(number: 7, rights: user ^ 5), .init(number: 9, rights: user & 3)]
                access.mask = user | 4
                all.append(access)
            }
            all.append(NFS4PosixAccess(mode: mode))
        }
        return all
    }

    @Test("A list says of everybody what the kernel does, and is kept as it was", arguments: lists)
    func roundTrip(access: NFS4PosixAccess) {
        let list = access.entries(isDirectory: false)
        let kept = NFS4PosixAccess(list, isDirectory: false)
        var wrong: UInt32 = 0
        for user in [7, 8, 9] as [UInt32] {
            for groups in [[], [7], [9], [7, 9]] as [[UInt32]] {
                for (owns, isOfGroup) in [(true, true), (true, false), (false, true), (false, false)] {
                    let kernel = granted(access, owns: owns, isOfGroup: isOfGroup, user: user, groups: groups)
                    let told = granted(list, owns: owns, isOfGroup: isOfGroup, user: user, groups: groups)
                    let again = granted(kept, owns: owns, isOfGroup: isOfGroup, user: user, groups: groups)
                    wrong |= (told ^ kernel) | (again ^ kernel)
                }
            }
        }
        #expect(wrong == 0, "\(list) is kept as \(kept)")
    }

    @Test("Whatever a list says, what is kept of it grants nobody more")
    func neverMore() {
        var seed: UInt64 = 0x9e37_79b9_7f4a_7c15
        func draw(_ count: UInt64) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((seed >> 33) % count)
        }
        let whos: [NFS4AccessEntry.Who] = [.owner, .group, .everyone, .user(7), .user(8), .members(7), .members(9)]
        for _ in 0..<100 {
            let list = (0..<draw(7) + 1).map { _ in
                Entry(denies: draw(3) == 0, rights: UInt32(draw(64)) & 0x27, who: whos[draw(7)])
            }
            let kept = NFS4PosixAccess(list, isDirectory: false)
            var more: UInt32 = 0
            for user in [7, 8, 9] as [UInt32] {
                for groups in [[], [7], [9], [7, 9]] as [[UInt32]] {
                    for (owns, isOfGroup) in [(true, true), (true, false), (false, true), (false, false)] {
                        let told = granted(list, owns: owns, isOfGroup: isOfGroup, user: user, groups: groups)
                        more |= granted(kept, owns: owns, isOfGroup: isOfGroup, user: user, groups: groups) & ~told
                    }
                }
            }
            #expect(more == 0, "\(list) is kept as \(kept)")
        }
    }

    @Test("A mode is three entries, or more where the owner may less than others")
    func modes() {
        let plain = NFS4PosixAccess(mode: 0o754).entries(isDirectory: false)
        #expect(plain.map(\.who) == [.owner, .group, .everyone])
        #expect(plain.map(\.denies) == [false, false, false])
        #expect(NFS4PosixAccess(plain, isDirectory: false) == NFS4PosixAccess(mode: 0o754))
        let odd = NFS4PosixAccess(mode: 0o046).entries(isDirectory: false)
        #expect(odd.map(\.denies) == [true, false, false, true, false])
        #expect(NFS4PosixAccess(odd, isDirectory: false) == NFS4PosixAccess(mode: 0o046))
    }

    @Test("What is denied first stays denied, to the owner too, and half a right is none")
    func foreignLists() {
        let all: UInt32 = 0x27
        func kept(_ list: [NFS4AccessEntry], isDirectory: Bool = false) -> NFS4PosixAccess {
            NFS4PosixAccess(list, isDirectory: isDirectory)
        }
        // Nobody but user 5: it may be the owner.
        var access = kept([Entry(denies: true, rights: all, who: .user(5)), Entry(rights: all, who: .everyone)])
        #expect(access.owner == 0 && access.group == 7 && access.other == 7)
        #expect(access.users == [.init(number: 5, rights: 0)] && access.mask == 7)
        // Members of group 6 may be anybody.
        access = kept([Entry(denies: true, rights: 0x2, who: .members(6)), Entry(rights: all, who: .everyone)])
        #expect(access.owner == 5 && access.group == 5 && access.other == 7)
        #expect(access.groups == [.init(number: 6, rights: 5)])
        // Everyone is also who comes later.
        access = kept([Entry(rights: 0x1, who: .everyone), Entry(rights: 0x20, who: .user(5))])
        #expect(access.users == [.init(number: 5, rights: 5)] && access.other == 4 && access.owner == 4)
        // To write without appending; in a directory, without removing.
        #expect(kept([Entry(rights: 0x2, who: .everyone)]).other == 0)
        #expect(kept([Entry(rights: 0x6, who: .everyone)]).other == 2)
        #expect(kept([Entry(rights: 0x6, who: .everyone)], isDirectory: true).other == 0)
        #expect(kept([Entry(rights: 0x46, who: .everyone)], isDirectory: true).other == 2)
        #expect(kept([]) == NFS4PosixAccess(mode: 0))
    }

    // MARK: On the wire

    private func written(_ body: (inout XDRWriter) -> Void) -> [UInt8] {
        var memory = [UInt8](repeating: 0xa5, count: 65536)
        let count = unsafe memory.withUnsafeMutableBytes { room in
            var writer = unsafe XDRWriter(unsafely: room)
            body(&writer)
            return writer.count
        }
        return Array(memory[..<count])
    }

    private func decoded(_ bytes: [UInt8]) throws -> NFS4NewAttributes {
        var reader = unsafe XDRReader(bytes.span.bytes)
        let new = try NFS4NewAttributes(decoding: &reader, minor: 0)
        #expect(reader.remaining == 0)
        return new
    }

    /// One entry as SETATTR sends it.
    private func entry(type: UInt32 = 0, flags: UInt32 = 0, rights: UInt32 = 1, _ who: String, count: UInt32 = 1)
        -> [UInt8]
    {
        let body = written {
            for word in [count, type, flags, rights] { $0.write(word) }
            $0.writeOpaque(Array(who.utf8))
        }
        return written {
            for word in [1, 1 << 12, UInt32(body.count)] { $0.write(word) }
        } + body
    }

    @Test("A list is read as it is written")
    func wire() throws {
        let list = [
            Entry(denies: true, rights: 0x27, who: .owner), Entry(inheritance: 0xb, rights: 1, who: .group),
            Entry(rights: 0x1f_01ff, who: .everyone), Entry(rights: 2, who: .user(0)),
            Entry(rights: 3, who: .members(4_294_967_294)),
        ]
        var attributes = Bench.attributes(.regular, mode: 0o640)
        var server = NFS4Attributes.Server(minor: 0, lease: 60, largestRead: 1, largestWrite: 1)
        #expect(written { attributes.encode(.accessList, server, into: &$0) } == written { $0.writeZeros(2) })
        server.hasAccessLists = true
        #expect(server.supported.contains(.accessList))
        let ofMode = try decoded(written { attributes.encode(.accessList, server, into: &$0) })
        #expect(ofMode.accessList == NFS4PosixAccess(mode: 0o640).entries(isDirectory: false))
        attributes.accessList = list
        #expect(try decoded(written { attributes.encode(.accessList, server, into: &$0) }).accessList == list)
    }

    @Test("What cannot be kept is refused")
    func refusals() throws {
        #expect(try decoded(entry("123")).accessList == [Entry(rights: 1, who: .user(123))])
        #expect(try decoded(entry(flags: 0x40, "123")).accessList == [Entry(rights: 1, who: .members(123))])
        for (bytes, status) in [
            (entry(type: 2, "OWNER@"), NFS4Status.attributeNotSupported), (entry(flags: 0x10, "OWNER@"), .invalid),
            (entry(flags: 0x4, "OWNER@"), .invalid), (entry("alice@example.org"), .badOwner), (entry(""), .badOwner),
            (entry("OWNER@", count: 513), .tooBig),
        ] {
            let refused = #expect(throws: NFS4NewAttributes.Refused.self) { try decoded(bytes) }
            #expect(refused?.status == status && refused?.end == bytes.count)
        }
        #expect(throws: XDRError.self) { try decoded(entry("OWNER@", count: 2)) }
    }
}
