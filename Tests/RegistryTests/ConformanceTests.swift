import BootModel
import BootModelConformance
import Registry
import Testing

@Suite("The registry's ports")
struct ConformanceTests {
    @Test("SQLite as NodeRegistry", arguments: NodeRegistryConformance.cases)
    func nodesInSQLite(_ promise: ConformanceCase<any NodeRegistry>) throws {
        let directory = try TemporaryDirectory()
        try promise.check(Registry(stateDirectory: directory.path))
    }

    @Test("SQLite as LeaseStore", arguments: LeaseStoreConformance.cases)
    func leasesInSQLite(_ promise: ConformanceCase<any LeaseStore>) throws {
        let directory = try TemporaryDirectory()
        try promise.check(Registry(stateDirectory: directory.path))
    }

    @Test("SQLite as EventLog", arguments: EventLogConformance.cases)
    func eventsInSQLite(_ promise: ConformanceCase<any EventLog>) throws {
        let directory = try TemporaryDirectory()
        try promise.check(Registry(stateDirectory: directory.path))
    }

    @Test("SQLite as IdentityStore", arguments: IdentityStoreConformance.cases)
    func identitiesInSQLite(_ promise: ConformanceCase<any IdentityStore>) throws {
        let directory = try TemporaryDirectory()
        try promise.check(Registry(stateDirectory: directory.path))
    }

    @Test("memory as NodeRegistry", arguments: NodeRegistryConformance.cases)
    func nodesInMemory(_ promise: ConformanceCase<any NodeRegistry>) throws { try promise.check(InMemoryRegistry()) }

    @Test("memory as LeaseStore", arguments: LeaseStoreConformance.cases)
    func leasesInMemory(_ promise: ConformanceCase<any LeaseStore>) throws { try promise.check(InMemoryRegistry()) }

    @Test("memory as EventLog", arguments: EventLogConformance.cases)
    func eventsInMemory(_ promise: ConformanceCase<any EventLog>) throws { try promise.check(InMemoryRegistry()) }

    @Test("the suite notices a registry that fails")
    func failing() {
        for promise in NodeRegistryConformance.cases
        where promise.description != "changes nothing when the change throws" {
            #expect(throws: (any Error).self, "\(promise)") { try promise.check(FailingRegistry()) }
        }
        for promise in LeaseStoreConformance.cases {
            #expect(throws: (any Error).self, "\(promise)") { try promise.check(FailingRegistry()) }
        }
        for promise in EventLogConformance.cases {
            #expect(throws: (any Error).self, "\(promise)") { try promise.check(FailingRegistry()) }
        }
        for promise in IdentityStoreConformance.cases {
            #expect(throws: (any Error).self, "\(promise)") { try promise.check(FailingRegistry()) }
        }
    }
}
