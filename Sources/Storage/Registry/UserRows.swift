import BootModel
import GRDB

/// Users and tags as rows.
enum UserRows {
    static func values(_ user: User) throws -> [(any DatabaseValueConvertible)?] {
        [
            user.name.text, Int64(user.uid), try JSONText.write(user.groups), user.fullName, user.shell.text,
            user.home.text, user.password?.secret, try JSONText.write(user.sshKeys.map(\.text)),
            try JSONText.write(user.profiles),
        ]
    }

    static func user(_ row: Row) throws -> User {
        let keys: [String] = try JSONText.read(row["ssh_keys"], "user")
        let hash: String? = row["password"]
        let password = hash.flatMap(PasswordHash.init)
        guard hash == nil || password != nil else {
            // The hash itself must not get into the message.
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "user.password holds no hash")
        }
        return User(
            name: try FleetRows.text(row, "user", "name"),
            uid: UInt32(clamping: row["uid"] as Int64),
            groups: try JSONText.read(row["groups"], "user"),
            fullName: row["full_name"],
            shell: try FleetRows.text(row, "user", "shell"),
            home: try FleetRows.text(row, "user", "home"),
            password: password,
            sshKeys: keys.compactMap(SSHPublicKey.init),
            profiles: try JSONText.read(row["profiles"], "user")
        )
    }

    static func tag(_ row: Row) throws -> ImageTag {
        ImageTag(name: try FleetRows.text(row, "tag", "name"), number: Int(row["number"] as Int64))
    }
}
