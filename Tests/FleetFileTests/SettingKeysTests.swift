import BootModel
import BootModelConformance
import NetworkTypes
import Testing

@testable import FleetFile

/// A profile with every setting.
private let everySetting = """
    profiles:
      - name: base
      - name: lab
        inherits: [base]
        image: "debian:lab"
        root: {via: nbd, writes: ram, server: 10.0.0.2, version: 4.1}
        kernel-arguments: [quiet]
        loader: grub
        menu: {timeout: 5, default: debian, entries: [debian, debian@7, local-disk, memtest]}
        mounts:
          - {tmpfs: /var/spool/cups}
          - {tmpfs: /tmp, size: 512M, mode: 1777}
          - {nfs: /srv/home, at: /home, mode: rw}
          - {nfs: /srv/data, at: /data, server: 10.0.0.9}
        state: [/etc/ssh, /var/lib/puppet]
        volatile: [/var/log]
        files: [base, lab]
        variables: {seat: 3, room: "204", kiosk: true, text: a b, empty: ""}
        swap: 2G
        volume: 20G
        options: [{code: 42, addresses: [10.0.0.1]}, {code: 26, u16: 1400}, {code: 43, hex: "01:02"}, {code: 66, text: x}]
        users: [anna]
        autologin: anna
    users: [{name: anna, uid: 2001}]
    """

@Suite("Settings in fleet files")
struct SettingKeysTests {
    @Test("every setting is read, exported and read again")
    func everySettingIsRead() throws {
        var fleet = Fleet()
        try FleetDocument(parsing: everySetting).apply(to: &fleet, prune: true)
        let settings = try #require(fleet.profiles[ProfileName(checked: "lab")]?.settings)
        for setting in Setting.all { #expect(setting.value(in: settings) != nil, "\(setting.key)") }
        let debian = try #require(ImageReference("debian"))
        #expect(settings.menuTimeout?.seconds == 5 && settings.menuDefault == .image(debian))
        #expect(settings.rootVersion == .v41)
        #expect(settings.mounts?[2] == .nfs(NodePath("/srv/home")!, at: NodePath("/home")!, mode: .readWrite))
        #expect(
            settings.variables?.mapValues { "\($0)" }.count == 5
                && settings.variables?[VariableName("room")!] == .text("204")
                && settings.variables?[VariableName("kiosk")!] == .truth(true)
        )
        #expect(settings.options?.map(\.bytes) == [[10, 0, 0, 1], [5, 120], [1, 2], [0x78]])
        var again = Fleet()
        try FleetDocument(parsing: fleet.fleetFile).apply(to: &again, prune: true)
        #expect(again == fleet, "\(fleet.fleetFile)")
        #expect(again.fleetFile == fleet.fleetFile)
    }

    @Test(
        "what is wrong is told with its place",
        arguments: [
            (
                "loader: grubb",
                #"4:11: loader "grubb" is not one of auto, ipxe, grub, pxelinux, shim, none; did you mean "grub"?"#
            ),
            ("menu: {timeout: -1}", #"4:19: timeout "-1" is not a number of seconds between 0 and 86400"#),
            (
                "menu: {entries: [debian, '@']}",
                #"4:28: entries "@" is not a menu entry: an image (debian, debian@7, debian:tag), local-disk or memtest"#
            ),
            ("menu: {timeot: 3}", #"4:10: unknown key "timeot" of a menu; did you mean "timeout"?"#),
            (
                "mounts: [{tmpfs: /tmp}, {tmpfs: tmp}]",
                #"4:35: tmpfs "tmp" is not an absolute path such as /var/lib, without . or .. and no slash at the end"#
            ),
            ("mounts: [{nfs: /srv, att: /home}]", #"4:24: unknown key "att" of a mount; did you mean "at"?"#),
            ("mounts: [{nfs: /srv}]", #"4:12: mounts needs "at" for a mount over NFS"#),
            (
                "mounts: [{tmpfs: /tmp, at: /x}]",
                #"4:26: unknown key "at" of a mount of a tmpfs; known keys: tmpfs, size, mode"#
            ),
            (
                "mounts: [/tmp]",
                #"4:12: mounts is a list of keys and values such as {tmpfs: …}, here stands the text "/tmp""#
            ),
            (
                "state: [/etc/ssh, etc]",
                #"4:21: state "etc" is not an absolute path such as /var/lib, without . or .. and no slash at the end"#
            ),
            (
                "variables: {3d: x}",
                #"4:15: "3d" is not a variable name: use letters, digits and underscores, no digit first"#
            ),
            ("variables: {x: [1]}", #"4:18: x is one value (text, a number, true or false), here stands a list"#),
            ("swap: 2 GB", #"4:9: swap "2 GB" is not a size such as 512M or 4G"#),
            (
                "options: [{code: 53, u8: 1}]",
                #"4:20: code "53" is not an option that can be set: a number from 1 to 254 or a name such as mtu or log-servers, and none that the server makes for each reply itself"#
            ),
            ("options: [{code: 26, u16: 65536}]", #"4:29: u16 "65536" is not a number from 0 to 65535"#),
            (
                "users: [Anna]",
                #"4:11: users "Anna" is not a user name: lower-case letters, digits, _ and -, a letter first, 32 characters at most"#
            ),
            ("root: {server: here}", #"4:18: server "here" is not an IPv4 address"#),
            ("stat: [/x]", #"4:3: unknown key "stat" of a profile; did you mean "state"?"#),
            ("state: [/x, /x]", "4:15: profile lab: state names /x twice; keep one"),
            ("inherits: [lab]", "4:14: profile lab: inherits itself (lab -> lab); remove one of them"),
            (
                "root: {via: ram, writes: cow}",
                "4:9: profile lab: root {via: ram, writes: cow} cannot work: the image file itself stays read-only; use writes ram or keep, or via nbd or nfs"
            ),
        ]
    )
    func errors(_ line: String, _ message: String) throws {
        let text = "profiles:\n- name: lab\n  image: debian\n  \(line)\n"
        let error = #expect(throws: FleetFileError.self) {
            var fleet = Fleet()
            try FleetDocument(parsing: text).apply(to: &fleet, prune: false)
        }
        #expect(error?.description == message)
    }

    @Test("users and tags are read; what is wrong is told with its place, a password never")
    func usersAndTags() throws {
        let text = """
            profiles: [{name: lab, selectors: [{mac: b8:27:eb}, {architecture: arm64-efi, relay-port: Gi0/3}]}]
            users:
              - name: anna
                uid: 2001
                groups: [students, audio]
                full-name: Anna Beispiel
                shell: /bin/zsh
                home: /srv/anna
                password: $y$j9T$salt$abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG
                ssh-keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 anna]
                profiles: [lab]
            tags: [{name: debian:lab, version: 7}]
            """
        var fleet = Fleet()
        let changes = try FleetDocument(parsing: text).apply(to: &fleet, prune: true)
        let anna = try #require(fleet.users[UserName(checked: "anna")])
        #expect(anna.password?.secret.hasPrefix("$y$") == true && "\(anna)".contains("$y$") == false)
        #expect(fleet.resolved(try #require(ImageReference("debian:lab"))) == ImageReference("debian@7"))
        #expect(changes.map(\.line).joined().contains("$y$") == false)
        #expect(changes.last?.line == "+ tag debian:lab  version: 7")
        #expect(!fleet.fleetFile.contains("$y$") && fleet.fleetFile(withSecrets: true).contains("$y$"))
        var again = fleet
        #expect(try FleetDocument(parsing: fleet.fleetFile).apply(to: &again, prune: true) == [], "the password stays")
        let none = text.replacing(/password: .*/, with: "password: none")
        #expect(
            try FleetDocument(parsing: none).apply(to: &again, prune: true).map(\.line) == [
                "~ user anna  password: (hidden) -> not set"
            ]
        )
        for (line, message) in [
            ("users: [{name: x, uid: 5, password: secret}]", "1:37: password is neither none nor \(PasswordHash.form)"),
            ("users: [{name: x}]", "1:9: a user needs a uid such as 2001, the same for ever"),
            (
                "users: [{name: x, uid: 5}]",
                "1:24: user x: uid 5 belongs to the images' own accounts; use 1000 or more, and neither 65534 nor 65535"
            ),
            (
                "users: [{name: x, uid: 2000}, {name: z, uid: 2000}]",
                "1:46: user z: uid 2000 belongs to user x already; give another one"
            ),
            (
                "profiles: [{name: lab, users: [ann]}]\nusers: [{name: anna, uid: 2000}]",
                "1:32: profile lab: user ann does not exist; did you mean anna?"
            ),
            (
                "tags: [{name: debian, version: 1}]",
                "1:15: name \"debian\" is not an image and its tag such as debian:lab"
            ),
            (
                "profiles: [{name: a, selectors: [{macc: 5}]}]",
                "1:35: unknown key \"macc\" of a selector; did you mean \"mac\"?"
            ),
            (
                "profiles: [{name: a, selectors: [{}]}]",
                "1:34: selectors needs at least one of mac, uuid, architecture, vendor-class, raspberry-pi, relay-port"
            ),
        ] {
            let error = #expect(throws: FleetFileError.self) {
                var fleet = Fleet()
                try FleetDocument(parsing: line).apply(to: &fleet, prune: false)
            }
            #expect(error?.description == message)
        }
    }

    @Test("made-up fleets survive export and apply", arguments: 0..<40)
    func generated(_ seed: Int) throws {
        for number in 0..<10 {
            var generator = GeneratedFleet(seed: UInt64(seed * 100 + number + 1))
            let fleet = generator.fleet()
            #expect(fleet.problems == [])
            let text = fleet.fleetFile(withSecrets: true)
            var again = Fleet()
            try FleetDocument(parsing: text).apply(to: &again, prune: true)
            #expect(FleetChange.between(again, fleet).map(\.line) == [])
            let isSame = again == fleet && again.fleetFile(withSecrets: true) == text
            #expect(isSame)
            var other = GeneratedFleet(seed: UInt64(seed * 100 + number + 50)).fleetOfItsOwn()
            try FleetDocument(parsing: text).apply(to: &other, prune: true)
            #expect(FleetChange.between(other, fleet).map(\.line) == [], "pruning leaves something of another fleet")
        }
    }
}

extension GeneratedFleet {
    fileprivate func fleetOfItsOwn() -> Fleet {
        var copy = self
        return copy.fleet()
    }
}
