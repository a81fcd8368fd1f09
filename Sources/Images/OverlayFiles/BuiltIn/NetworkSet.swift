extension BuiltInSet {
    /// The root hangs on the boot interface: no program of the image may take it down, readdress or rename it.
    static let network = BuiltInSet(
        "network",
        "the boot interface is left alone by ifupdown, systemd-networkd, NetworkManager, dhcpcd, OpenRC and netctl",
        templates: [
            template(
                "etc/systemd/networkd.conf.d/10-diskless.conf",
                #"""
                # Other interfaces that ask by DHCP are the same client at each boot.
                [DHCPv4]
                DUIDType=uuid
                DUIDRawData={{dhcp-uuid-colons}}
                [DHCPv6]
                DUIDType=uuid
                DUIDRawData={{dhcp-uuid-colons}}

                """#
            ),
            script("30-network", boundInterface + otherPrograms),
            script(
                "31-lease",
                #"""
                # Beside a foreign DHCP server the address is only lent: renew it, never change or drop it.
                [ "$LEASE" = renew ] || exit 0
                service diskless-lease early "Renew the address that this machine booted with" \
                    /run/diskless/busybox udhcpc -f -S -i "$INTERFACE" -r "$ADDRESS" -t 5 -T 3 -A 20 -s /run/diskless/keep-lease

                """#
            ),
        ]
    )

    private static let boundInterface = #"""
        # systemd-networkd: the same address once more and everything kept, so that network-online.target is reached too.
        mkdir -p /run/systemd/network
        {
            printf '[Match]\nMACAddress=%s\n[Network]\nKeepConfiguration=yes\nLinkLocalAddressing=ipv6\n' "$MAC"
            printf 'Address=%s/%s\n' "$ADDRESS" "$PREFIX"
            [ -n "$GATEWAY" ] && printf 'Gateway=%s\n' "$GATEWAY"
            sed -n 's/^nameserver /DNS=/p; s/^search /Domains=/p' /run/diskless/resolv.conf
            printf '[DHCPv4]\nClientIdentifier=mac\nIAID={{dhcp-iaid}}\n[DHCPv6]\nIAID={{dhcp-iaid}}\n'
        } >/run/systemd/network/00-diskless.network
        # NetworkManager: not its device, and the name servers are not its business when we brought some.
        mkdir -p /run/NetworkManager/conf.d
        {
            printf '[device-diskless]\nmatch-device=mac:%s\nmanaged=0\n' "$MAC"
            printf '[connection-diskless]\nipv4.dhcp-client-id=mac\nipv6.dhcp-duid=00:04:{{dhcp-uuid-colons}}\n'
            [ -s /run/diskless/resolv.conf ] && printf '[main]\ndns=none\n'
        } >/run/NetworkManager/conf.d/00-diskless.conf
        # ifupdown under systemd: neither ifup at the start nor ifdown at the end, nor ifup by udev.
        if has_systemd; then
            mkdir -p /run/systemd/system/networking.service.d
            cat >/run/systemd/system/networking.service.d/diskless.conf <<END
        [Service]
        ExecStart=
        ExecStart=/sbin/ifup -a --read-environment --exclude=$INTERFACE
        ExecStop=
        ExecStop=/sbin/ifdown -a --read-environment --exclude=lo --exclude=$INTERFACE
        END
            ln -sfn /dev/null "/run/systemd/system/ifup@$INTERFACE.service"
        fi

        """#

    private static let otherPrograms = #"""
        # ifupdown anywhere, ifupdown-ng and busybox: the interface is in no list that is brought up by itself.
        for file in /etc/network/interfaces /etc/network/interfaces.d/*; do
            [ -f "$file" ] || continue
            grep -qE "^[[:space:]]*(auto|allow-[a-z]*)[[:space:]].*$INTERFACE" "$file" || continue
            replace "$file" awk -v own="$INTERFACE" '
                $1 != "auto" && $1 !~ /^allow-/ { print; next }
                { line = ""; for (i = 2; i <= NF; i++) if ($i != own) line = line " " $i; if (line != "") print $1 line }'
        done
        # Debian without systemd reads this at the start and at the end.
        if [ -f /etc/init.d/networking ] && [ -d /etc/default ]; then
            [ -e /etc/default/networking ] || : >/etc/default/networking
            replace /etc/default/networking sed '/# diskless$/d'
            printf 'EXCLUDE_INTERFACES="%s" # diskless\n' "$INTERFACE" >>/etc/default/networking
        fi
        # dhcpcd
        if [ -f /etc/dhcpcd.conf ]; then
            replace /etc/dhcpcd.conf sed '/# diskless$/,+1d'
            printf '# diskless\ndenyinterfaces %s\n' "$INTERFACE" >>/etc/dhcpcd.conf
        fi
        # OpenRC's netifrc: not started with any runlevel nor by udev, and "net" is there for who needs it.
        rm -f /etc/runlevels/*/net."$INTERFACE"
        if [ -e /etc/init.d/net.lo ]; then
            [ -e /etc/conf.d/net ] || : >/etc/conf.d/net
            replace /etc/conf.d/net sed '/# diskless$/d'
            printf 'config_%s="null" # diskless\n' "$INTERFACE" >>/etc/conf.d/net
            [ -e /etc/conf.d/net.lo ] || : >/etc/conf.d/net.lo
            replace /etc/conf.d/net.lo sed '/# diskless$/d'
            printf 'rc_provide="net" # diskless\n' >>/etc/conf.d/net.lo
        fi
        # netctl: neither its profiles of this interface nor its automatic ones.
        if has_systemd; then
            ln -sfn /dev/null "/run/systemd/system/netctl-ifplugd@$INTERFACE.service"
            for file in /etc/netctl/*; do
                [ -f "$file" ] && grep -qE "^Interface=['\"]?$INTERFACE['\"]?\$" "$file" || continue
                ln -sfn /dev/null "/run/systemd/system/netctl@${file##*/}.service"
            done
        fi
        # cloud-init would write a configuration for every interface.
        if [ -d /etc/cloud ]; then
            mkdir -p /etc/cloud/cloud.cfg.d
            echo 'network: {config: disabled}' >/etc/cloud/cloud.cfg.d/99-diskless.cfg
        fi
        # dhclient on other interfaces: the hardware address, as firmware uses it, and the same DUID at each boot.
        if [ -f /etc/dhcp/dhclient.conf ]; then
            replace /etc/dhcp/dhclient.conf sed '/# diskless$/d'
            echo 'send dhcp-client-identifier = hardware; # diskless' >>/etc/dhcp/dhclient.conf
        fi
        if [ -d /var/lib/dhcp ]; then
            echo 'default-duid "{{dhcp-duid-octal}}";' >/var/lib/dhcp/dhclient6.leases
        fi
        # The root needs its NBD program to the very end: what ends all processes at shutdown leaves it.
        mkdir -p /run/sendsigs.omit.d
        pidof @nbd-attach nbd-attach >/run/sendsigs.omit.d/diskless 2>/dev/null || :

        """#
}
