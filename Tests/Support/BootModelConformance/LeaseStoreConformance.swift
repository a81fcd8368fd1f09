package import BootModel

/// The promises of `LeaseStore`.
package enum LeaseStoreConformance {
    /// Each promise.
    package static let cases: [ConformanceCase<any LeaseStore>] = [
        ConformanceCase("begins empty") { store in
            try expect(try store.leases().isEmpty, "a fresh store has leases")
        },
        ConformanceCase("keeps every field") { store in
            let leases = (0..<7).map { Sample.lease($0) }
            try store.commit(leases.map { .set($0) })
            try expect(Set(try store.leases()) == Set(leases), "leases differ: \(try store.leases())")
        },
        ConformanceCase("replaces the lease of an address") { store in
            try store.commit([.set(Sample.lease(1))])
            let renewed = Sample.lease(1, granted: Sample.time.advanced(bySeconds: 60))
            try store.commit([.set(renewed)])
            try expect(try store.leases() == [renewed], "not replaced: \(try store.leases())")
        },
        ConformanceCase("removes, and does not mind what is gone") { store in
            try store.commit([.set(Sample.lease(1)), .set(Sample.lease(2))])
            try store.commit([.remove(Sample.address(1)), .remove(Sample.address(77))])
            try expect(try store.leases() == [Sample.lease(2)], "left: \(try store.leases())")
        },
        ConformanceCase("applies one batch in its order") { store in
            try store.commit([.set(Sample.lease(1)), .remove(Sample.address(1)), .set(Sample.lease(2))])
            try expect(try store.leases() == [Sample.lease(2)], "left: \(try store.leases())")
        },
        ConformanceCase("keeps expired leases") { store in
            let old = Sample.lease(3, granted: Timestamp(seconds: 1000))
            try store.commit([.set(old)])
            try expect(try store.leases() == [old], "an expired lease is gone")
        },
        ConformanceCase("takes an empty batch") { store in
            try store.commit([])
            try expect(try store.leases().isEmpty, "an empty batch made leases")
        },
    ]
}
