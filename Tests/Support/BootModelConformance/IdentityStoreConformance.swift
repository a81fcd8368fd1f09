package import BootModel

/// What every `IdentityStore` promises.
package enum IdentityStoreConformance {
    /// The promises.
    package static let cases: [ConformanceCase<any IdentityStore>] = [
        ConformanceCase("begins empty") { store in
            try expect(try store.identity(of: Sample.identity("anna", 1).node) == nil, "a fresh store has an identity")
        },
        ConformanceCase("keeps every field") { store in
            let identity = Sample.identity("anna", 1)
            try expect(try store.keep(identity) == identity, "another one was kept")
            try expect(try store.identity(of: identity.node) == identity, "it has changed")
        },
        ConformanceCase("keeps the first of a node, and tells it to whoever comes later") { store in
            let first = Sample.identity("anna", 1)
            _ = try store.keep(first)
            try expect(try store.keep(Sample.identity("anna", 2)) == first, "the second took its place")
            try expect(try store.identity(of: first.node) == first, "it has changed")
        },
        ConformanceCase("keeps nodes apart") { store in
            let (anna, ben) = (Sample.identity("anna", 1), Sample.identity("ben", 2))
            _ = try store.keep(anna)
            _ = try store.keep(ben)
            try expect(try store.identity(of: anna.node) == anna, "anna's")
            try expect(try store.identity(of: ben.node) == ben, "ben's")
        },
        ConformanceCase("forgets one, and does not mind what is gone") { store in
            let (anna, ben) = (Sample.identity("anna", 1), Sample.identity("ben", 2))
            _ = try store.keep(anna)
            _ = try store.keep(ben)
            try store.forgetIdentity(of: anna.node)
            try store.forgetIdentity(of: anna.node)
            try expect(try store.identity(of: anna.node) == nil, "anna's is still there")
            try expect(try store.identity(of: ben.node) == ben, "ben's is gone")
            let next = Sample.identity("anna", 3)
            try expect(try store.keep(next) == next, "the next one was not kept")
        },
    ]
}

extension Sample {
    /// An identity, by a number that makes it different from others.
    package static func identity(_ node: String, _ byte: UInt8) -> NodeIdentity {
        NodeIdentity(
            node: NodeName(checked: node),
            seed: [UInt8](repeating: byte, count: 32),
            hostKeys: ["ed25519", "rsa"].map { kind in
                NodeIdentity.HostKey(kind: kind, privateFile: "private\n\(byte)\n", publicLine: "ssh-\(kind) \(byte)")
            }
        )
    }
}
