extension BuiltInSet {
    /// Name servers.
    static let resolv = BuiltInSet(
        "resolv",
        "name servers and search domain, for /etc/resolv.conf and systemd-resolved",
        templates: [
            template(
                "etc/systemd/resolved.conf.d/10-diskless.conf",
                #"""
                {{#network.nameservers-text}}
                [Resolve]
                DNS={{network.nameservers-text}}
                {{#domain}}
                Domains={{domain}}
                {{/domain}}
                {{/network.nameservers-text}}

                """#
            ),
            script(
                "20-resolv",
                #"""
                {{#network.nameservers-text}}
                : >/run/diskless/resolv.conf
                {{#network.nameservers}}
                echo 'nameserver {{.}}' >>/run/diskless/resolv.conf
                {{/network.nameservers}}
                {{/network.nameservers-text}}
                [ -s /run/diskless/resolv.conf ] || exit 0
                {{#domain}}
                grep -q '^search ' /run/diskless/resolv.conf || echo 'search {{domain}}' >>/run/diskless/resolv.conf
                {{/domain}}
                # A link into /run is some program's that will write there itself; until then it finds ours.
                if [ -L /etc/resolv.conf ]; then
                    target=$(readlink /etc/resolv.conf)
                    case $target in
                    /run/*) ;;
                    ../run/*) target=${target#..} ;;
                    *) target='' ;;
                    esac
                    if [ -n "$target" ]; then
                        mkdir -p "${target%/*}"
                        [ -e "$target" ] || cp /run/diskless/resolv.conf "$target"
                        exit 0
                    fi
                fi
                rm -f /etc/resolv.conf
                cp /run/diskless/resolv.conf /etc/resolv.conf

                """#
            ),
        ]
    )

    /// The time server.
    static let time = BuiltInSet(
        "time",
        "the network's time servers, for systemd-timesyncd and chrony",
        templates: [
            template(
                "etc/systemd/timesyncd.conf.d/10-diskless.conf",
                #"""
                {{#time-servers-text}}
                [Time]
                NTP={{time-servers-text}}
                {{/time-servers-text}}

                """#
            ),
            template(
                "etc/chrony/sources.d/diskless.sources",
                #"""
                {{#time-servers}}
                server {{.}} iburst
                {{/time-servers}}

                """#
            ),
        ]
    )

    /// What is mounted.
    static let fstab = BuiltInSet(
        "fstab",
        "/etc/fstab with the setting mounts instead of what the image was installed with",
        templates: [
            template(
                "etc/fstab",
                #"""
                # Made at each boot from the node's settings. The root is mounted before init runs.
                {{#mounts}}
                {{device}} {{at}} {{type}} {{options}} 0 0
                {{/mounts}}

                """#
            )
        ]
    )

    /// Where a system must be able to write, whatever its root is.
    static let volatile = BuiltInSet(
        "volatile",
        "logs and spools in memory where the root cannot be written, journald's in memory where it lies there anyway",
        templates: [
            template(
                "etc/systemd/journald.conf.d/20-diskless.conf",
                #"""
                {{#root.is-in-memory}}
                [Journal]
                Storage=volatile
                {{/root.is-in-memory}}

                """#
            ),
            script(
                "40-volatile",
                #"""
                # With writes: none the root is read-only in a moment; logs, spools and locks go to memory, this boot only.
                [ "$WRITES" = none ] || exit 0
                mkdir -p /run/diskless/var
                mount -t tmpfs -o mode=0755,size=25% diskless-var /run/diskless/var || exit 1
                mkdir /run/diskless/var/upper /run/diskless/var/work
                chmod 755 /run/diskless/var/upper
                mount -t overlay -o lowerdir=/var,upperdir=/run/diskless/var/upper,workdir=/run/diskless/var/work \
                    diskless-var /var || exit 1
                mount -t tmpfs -o mode=1777,nosuid,nodev,size=25% diskless-tmp /tmp

                """#
            ),
        ]
    )

    /// Word that the machine is up.
    static let reportUp = BuiltInSet(
        "report-up",
        "a service that tells this server when the node is up: systemd, OpenRC, sysvinit",
        templates: [
            script(
                "80-report-up",
                #"""
                [ -n "$REPORT" ] || exit 0
                cat >/run/diskless/report-up <<END
                #!/run/diskless/busybox sh
                for try in 1 2 3 4 5 6 7 8 9 10; do
                    /run/diskless/busybox timeout 4 /run/diskless/busybox wget -q -O /dev/null --post-data "" "$REPORT/up" && exit 0
                    /run/diskless/busybox sleep 3
                done
                echo "the boot server at $REPORT does not take the report that this machine is up" >&2
                END
                chmod 755 /run/diskless/report-up
                service diskless-up last "Tell the boot server that this machine is up" /run/diskless/report-up

                """#
            )
        ]
    )
}
