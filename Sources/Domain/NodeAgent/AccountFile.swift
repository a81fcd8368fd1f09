public import BootModel

/// The people who may log in to a node, as the file that its agent merges over the image's own accounts.
///
/// Lines of words between tabs: `user NAME UID SHELL HOME HASH FULLNAME`, `member GROUP NAME`, `key NAME LINE`. It holds
/// password hashes: a secret.
public struct AccountFile: Hashable, Sendable {
    /// Its text.
    public let text: String

    /// The file for these users, in their order.
    public init(_ users: [User]) {
        var text = ""
        for user in users {
            let words = [
                "user", user.name.text, String(user.uid), "\(user.shell)", "\(user.home)",
                // What crypt never gives: nobody's password, yet no lock that keeps keys out where sshd has no PAM.
                user.password?.secret ?? "*", Self.field(user.fullName ?? ""),
            ]
            text += words.joined(separator: "\t") + "\n"
            for group in user.groups { text += "member\t\(group)\t\(user.name)\n" }
            for key in user.sshKeys { text += "key\t\(user.name)\t\(Self.line(key.text))\n" }
        }
        self.text = text
    }

    /// Text as it may stand in a field of passwd(5).
    private static func field(_ text: String) -> String { line(text.filter { $0 != ":" }) }

    private static func line(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }))
    }
}
