/// What is changed in a Debian tree so that many diskless machines can start from it, as values.
///
/// docs/guides/images.md explains each to those who use the images.
enum DebianTree {
    /// One change.
    ///
    /// Paths begin with a slash and are inside the tree.
    enum Edit: Hashable {
        /// A file with this text, instead of whatever was there.
        case file(String, String, mode: UInt32 = 0o644)
        /// A symbolic link, instead of whatever was there.
        case link(String, to: String)
        /// The directory, if it is missing.
        case directory(String, mode: UInt32 = 0o755)
        /// Nothing of that name; a star at the end stands for any ending.
        case remove(String)
        /// Nothing left in the directory.
        case empty(String)
    }

    /// The changes for a recipe.
    ///
    /// - Parameters:
    ///   - time: the time that all files of the image get, in seconds since 1970.
    ///   - hasBus: whether the tree has a D-Bus daemon, without which logind cannot run.
    static func edits(_ recipe: DebianRecipe, time: Int64, hasBus: Bool) -> [Edit] {
        identity + quiet(hasBus: hasBus) + network + remoteLogin(recipe) + language(recipe) + stamps(time) + leftovers
    }

    /// Each node is somebody else: nothing that names a machine is in the image.
    private static let identity: [Edit] = [
        .file("/etc/machine-id", ""),
        .remove("/var/lib/dbus/machine-id"),
        // Empty rather than missing: where the root is read-only the initramfs mounts the name over it.
        .file("/etc/hostname", ""),
        .file("/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"),
        .file("/etc/fstab", "# The root comes from the network; /etc/fstab is empty in the image.\n"),
        .remove("/etc/ssh/ssh_host_*"),
        .remove("/var/lib/systemd/random-seed"),
        .remove("/var/lib/systemd/credential.secret"),
    ]

    /// Units that have nothing to do on a node, by why.
    static let masked: [(unit: String, reason: String)] = [
        ("apt-daily.timer", "packages come with the next version of the image"),
        ("apt-daily-upgrade.timer", "packages come with the next version of the image"),
        ("dpkg-db-backup.timer", "the package database is part of the image"),
        ("e2scrub_all.timer", "a node has no disk of its own"),
        ("e2scrub_reap.service", "a node has no disk of its own"),
        ("fstrim.timer", "a node has no disk of its own"),
        ("systemd-random-seed.service", "a seed that is the same on all nodes is none"),
        ("systemd-pstore.service", "there is nowhere to keep a crash"),
        ("systemd-network-generator.service", "the initramfs has set up the boot network card from ip= already"),
        ("systemd-networkd-wait-online.service", "a node that runs is online"),
        ("networking.service", "the boot network card is set up by the initramfs, and losing it loses the root"),
    ]

    private static func quiet(hasBus: Bool) -> [Edit] {
        var edits = masked.map { Edit.link("/etc/systemd/system/\($0.unit)", to: "/dev/null") }
        if !hasBus {
            // Without a bus logind only delays the login: it is started, waits and fails.
            edits.append(.link("/etc/systemd/system/systemd-logind.service", to: "/dev/null"))
        }
        edits += [
            .directory("/etc/systemd/journald.conf.d"),
            .file(
                "/etc/systemd/journald.conf.d/10-diskless.conf",
                "# Nothing on a node outlives it; forward the journal if it shall be kept.\n[Journal]\nStorage=volatile\n"
                    + "RuntimeMaxUse=32M\n"
            ),
        ]
        return edits
    }

    /// Nothing in the system may take the boot network card down or give it a second address.
    private static let network: [Edit] = [
        .link("/etc/resolv.conf", to: "/run/resolv.conf"),
        .directory("/etc/NetworkManager"),
        .directory("/etc/NetworkManager/conf.d"),
        .file("/etc/NetworkManager/conf.d/10-diskless.conf", "[main]\nno-auto-default=*\nrc-manager=unmanaged\n"),
        .directory("/etc/sysctl.d"),
    ]

    private static func remoteLogin(_ recipe: DebianRecipe) -> [Edit] {
        var edits: [Edit] = [
            .file(
                "/etc/systemd/system/diskless-host-keys.service",
                """
                [Unit]
                Description=Make this node's SSH host keys
                ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
                ConditionPathIsReadWrite=/etc/ssh
                Before=ssh.service ssh.socket

                [Service]
                Type=oneshot
                ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key

                [Install]
                WantedBy=ssh.service

                """
            ),
            .directory("/etc/systemd/system/ssh.service.wants"),
            .link(
                "/etc/systemd/system/ssh.service.wants/diskless-host-keys.service",
                to: "/etc/systemd/system/diskless-host-keys.service"
            ),
        ]
        if !recipe.sshKeys.isEmpty {
            edits += [
                .directory("/root/.ssh", mode: 0o700),
                .file("/root/.ssh/authorized_keys", recipe.sshKeys.joined(separator: "\n") + "\n", mode: 0o600),
            ]
        }
        return edits
    }

    private static func language(_ recipe: DebianRecipe) -> [Edit] {
        [.file("/etc/default/locale", "LANG=\(recipe.locale ?? "C.UTF-8")\n")]
    }

    /// systemd compares these with the time of /usr: at least as new means that nothing has to be rebuilt at boot.
    private static func stamps(_ time: Int64) -> [Edit] {
        ["/etc/.updated", "/var/.updated"].map { .file($0, "TIMESTAMP_NSEC=\(time)000000000\n") }
    }

    /// What the build left, what the boot does not need, and what would differ between two builds.
    private static let leftovers: [Edit] = [
        .remove("/etc/apt/apt.conf.d/99mmdebstrap"),
        .remove("/etc/apt/apt.conf.d/99diskless"),
        .empty("/var/cache/apt"),
        .empty("/var/lib/apt/lists"),
        .empty("/var/log/apt"),
        .empty("/var/tmp"),
        .empty("/tmp"),
        .remove("/var/log/*.log"),
        .remove("/var/cache/ldconfig/aux-cache"),
        .remove("/var/cache/debconf/*-old"),
        .remove("/var/lib/dpkg/*-old"),
        .remove("/boot/vmlinuz-*"),
        .remove("/boot/initrd.img-*"),
        .remove("/boot/System.map-*"),
        .remove("/vmlinuz*"),
        .remove("/initrd.img*"),
    ]
}
