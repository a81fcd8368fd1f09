import BootModel

extension BuiltInSet {
    /// The node's name.
    static let hostname = BuiltInSet(
        "hostname",
        "/etc/hostname, and the node's own address in /etc/hosts",
        templates: [
            template("etc/hostname", "{{hostname}}\n"),
            script(
                "10-hosts",
                #"""
                # A root that is kept may have the line of an earlier boot.
                [ -e /etc/hosts ] || printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' >/etc/hosts
                replace /etc/hosts sed '/# diskless$/d'
                grep -q '[[:space:]]{{hostname}}\([[:space:]]\|$\)' /etc/hosts ||
                    printf '%s\t{{#domain}}{{hostname}}.{{domain}} {{/domain}}{{hostname}} # diskless\n' "$ADDRESS" >>/etc/hosts

                """#
            ),
        ]
    )

    /// The node's machine-id(5).
    static let machineID = BuiltInSet(
        "machine-id",
        "/etc/machine-id, the same at each boot and different on each node",
        templates: [
            template("etc/machine-id", permissions: 0o444, "{{machine-id}}\n"),
            script(
                "10-machine-id",
                #"""
                # Systems without systemd keep their own copy for D-Bus.
                if [ -d /var/lib/dbus ] && [ ! -L /var/lib/dbus/machine-id ]; then
                    cp /etc/machine-id /var/lib/dbus/machine-id
                fi

                """#
            ),
        ]
    )

    /// The keys of the node's ssh server.
    static let hostKeys = BuiltInSet(
        "ssh-host-keys",
        "the keys of the node's ssh server, made once and kept on this server",
        made: { boot in
            boot.identity.hostKeys.flatMap { key in
                let path = "etc/ssh/ssh_host_\(key.kind)_key"
                return [
                    OverlayFile.text(path, key.privateFile, isSecret: true),
                    OverlayFile.text(path + ".pub", "\(key.publicLine) root@\(boot.node.name)\n"),
                ]
            }
        }
    )
}
