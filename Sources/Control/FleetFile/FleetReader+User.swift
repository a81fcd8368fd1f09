import BootModel

extension FleetReader {
    private static let userKeys = [
        "name", "uid", "groups", "full-name", "shell", "home", "password", "ssh-keys", "profiles",
    ]

    /// One entry of `users`.
    mutating func user(_ value: YAMLValue) -> Located<User>? {
        guard let keys = keys(value, of: "user", known: Self.userKeys) else { return nil }
        begin()
        let name: UserName? = name(keys["name"], "name")
        if keys["name"] == nil { refuse("a user needs a name", at: value.position) }
        let uid: UInt32? = self.value(keys["uid"], "uid", "a user id such as 2001")
        if keys["uid"] == nil { refuse("a user needs a uid such as 2001, the same for ever", at: value.position) }
        let groups: [UserName]? = values(keys["groups"], "groups") { $0.name($1, "groups") }
        let fullName = text(keys["full-name"], "full-name")
        let shell: NodePath? = self.value(keys["shell"], "shell", NodePath.form)
        let home: NodePath? = self.value(keys["home"], "home", NodePath.form)
        let password = password(keys["password"])
        let sshKeys: [SSHPublicKey]? = values(keys["ssh-keys"], "ssh-keys") {
            $0.value($1, "ssh-keys", SSHPublicKey.form)
        }
        let profiles: [ProfileName]? = values(keys["profiles"], "profiles") { $0.name($1, "profiles") }
        guard let name, let uid else { return nil }
        let user = User(
            name: name,
            uid: uid,
            groups: groups ?? [],
            fullName: fullName,
            shell: shell ?? User.defaultShell,
            home: home,
            password: password,
            sshKeys: sshKeys ?? [],
            profiles: profiles ?? []
        )
        return end(user, at: value.position)
    }

    /// A hash, or `none`; what is wrong is not repeated, for it may be a password.
    private mutating func password(_ value: YAMLValue?) -> PasswordHash? {
        guard let value, let text = text(value, "password"), text != "none" else { return nil }
        guard let hash = PasswordHash(text) else {
            refuse("password is neither none nor \(PasswordHash.form)", at: value.position)
            return nil
        }
        return hash
    }

    /// One entry of `tags`.
    mutating func tag(_ value: YAMLValue) -> Located<ImageTag>? {
        guard let keys = keys(value, of: "tag", known: ["name", "version"]) else { return nil }
        begin()
        let name: ImageTag.Name? = self.value(keys["name"], "name", ImageTag.Name.form)
        if keys["name"] == nil { refuse("a tag needs a name such as debian:lab", at: value.position) }
        let number: Int? = self.value(keys["version"], "version", "a version's number such as 7")
        if keys["version"] == nil { refuse("a tag needs a version such as 7", at: value.position) }
        guard let name, let number else { return nil }
        guard number > 0 else {
            refuse("version \(number) is not above 0", at: value.position)
            return nil
        }
        return end(ImageTag(name: name, number: number), at: value.position)
    }

    /// The selectors of a profile.
    mutating func selectors(_ value: YAMLValue?) -> [ProfileSelector] {
        guard let value else { return [] }
        if case .sequence(let elements) = value.content {
            for element in elements { mark("selectors", element) }
        } else {
            mark("selectors", value)
        }
        do {
            return try [ProfileSelector](setting: value.setting)
        } catch {
            refuse(error.text(under: "selectors"), at: value.position(of: error.path[...]))
            return []
        }
    }
}
