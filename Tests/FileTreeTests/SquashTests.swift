import FileTree
import Testing

@Suite("Squash")
struct SquashTests {
    private let user = Caller(user: 1000, group: 100, groups: [4, 0])

    @Test("Root and root's group are nobody by default, others are themselves")
    func root() {
        let rule = SquashRule()
        let squashed = rule.effective(.root)
        #expect(squashed.user == 65534 && squashed.group == 65534)
        let effective = rule.effective(user)
        #expect(effective.user == 1000 && effective.group == 100 && effective.groups == [4, 65534])
        #expect(rule.effective(nil).user == 65534)
    }

    @Test("All are nobody, or all are themselves")
    func others() {
        #expect(SquashRule(.all, user: 5, group: 6).effective(user).user == 5)
        #expect(SquashRule(.none).effective(.root).user == 0)
        #expect(SquashRule(.none).effective(nil).user == 65534)
    }
}
