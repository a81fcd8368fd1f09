import BootModel
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
        root: {via: nbd, writes: ram, server: 10.0.0.2}
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
                #"4:20: code "53" is not an option that can be set: a number from 1 to 254, and none that the server makes for each reply itself"#
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
}
