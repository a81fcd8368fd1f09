extension BuiltInSet {
    /// Somebody who is logged in without being asked.
    static let autologin = BuiltInSet(
        "autologin",
        "who is logged in on the screen when the node is up, by the setting autologin",
        templates: [
            script(
                "60-autologin",
                #"""
                # A root that is kept may have the line of an earlier boot.
                if grep -q diskless/autologin /etc/inittab 2>/dev/null; then
                    replace /etc/inittab sed 's| -n -l /run/diskless/autologin||'
                fi
                {{#settings.autologin}}
                # The agent makes homes too, but perhaps later than this.
                cat >/run/diskless/autologin <<END
                #!/run/diskless/busybox sh
                [ -e /run/diskless/merge-users ] && /run/diskless/busybox sh /run/diskless/merge-users homes
                exec login -f {{settings.autologin}}
                END
                chmod 755 /run/diskless/autologin
                if has_systemd; then
                    mkdir -p /run/systemd/system/getty@tty1.service.d
                    cat >/run/systemd/system/getty@tty1.service.d/10-diskless.conf <<END
                [Service]
                ExecStart=
                ExecStart=-/sbin/agetty --skip-login --login-program /run/diskless/autologin --noclear %I \$TERM
                END
                fi
                # inittab(5) of sysvinit, of OpenRC's own init and of busybox: whichever getty the first console has.
                if [ -f /etc/inittab ]; then
                    replace /etc/inittab sed -E \
                        's|^([^#]*getty)([[:space:]].*tty1([[:space:]].*)?)$|\1 -n -l /run/diskless/autologin\2|'
                fi
                {{/settings.autologin}}

                """#
            )
        ]
    )

    /// People of a directory service.
    static let ldap = BuiltInSet(
        "ldap",
        "people from LDAP or Active Directory by sssd, which the image must have; not part of base",
        templates: [
            template(
                "etc/sssd/sssd.conf",
                permissions: 0o600,
                #"""
                # Made at each boot from the variables ldap_*; more of it may lie in /etc/sssd/conf.d.
                [sssd]
                services = nss, pam
                domains = default

                [domain/default]
                id_provider = ldap
                auth_provider = ldap
                chpass_provider = ldap
                access_provider = permit
                ldap_uri = {{ldap_uri}}
                ldap_search_base = {{ldap_base}}
                ldap_schema = {{^variables.ldap_schema}}rfc2307{{/variables.ldap_schema}}{{#variables.ldap_schema}}{{.}}{{/variables.ldap_schema}}
                {{#variables.ldap_ca_file}}
                ldap_tls_cacert = {{.}}
                {{/variables.ldap_ca_file}}
                ldap_tls_reqcert = demand
                {{#variables.ldap_bind_dn}}
                ldap_default_bind_dn = {{.}}
                {{/variables.ldap_bind_dn}}
                # A node that was cut off from the directory still knows who was there before.
                cache_credentials = True
                override_homedir = {{^variables.ldap_home}}/home/%u{{/variables.ldap_home}}{{#variables.ldap_home}}{{.}}{{/variables.ldap_home}}
                default_shell = /bin/bash
                # Node names stay short, and whom the fleet names comes before whom the directory names.
                use_fully_qualified_names = False
                enumerate = False

                """#
            ),
            script(
                "60-ldap",
                #"""
                if [ ! -x /usr/sbin/sssd ]; then
                    echo "this image has no sssd, which the set ldap needs: add it to the image" >&2
                    exit 1
                fi
                # Where the image's packages have not asked for it already.
                if [ -f /etc/nsswitch.conf ]; then
                    for database in passwd group shadow; do
                        grep -q "^$database:.*[[:space:]]sss" /etc/nsswitch.conf ||
                            replace /etc/nsswitch.conf sed "s/^$database:.*/& sss/"
                    done
                fi
                # Homes are made at the first login; that sssd is asked for passwords is the image's own doing.
                if [ -f /etc/pam.d/common-session ]; then
                    grep -q pam_mkhomedir /etc/pam.d/common-session ||
                        echo 'session optional pam_mkhomedir.so umask=0077' >>/etc/pam.d/common-session
                fi

                """#
            ),
        ]
    )
}
