/// What scripts in `run/diskless/prepare.d` may call; node/lay-overlay reads it before each of them.
enum NodeLibrary {
    /// Laid with every overlay.
    static let file: OverlayFile = {
        var file = OverlayFile.text("run/diskless/lib.sh", text)
        file.source = "this program"
        return file
    }()

    private static let text = #"""
        # replace FILE COMMAND...: FILE becomes what COMMAND makes of it; a link to elsewhere is not followed.
        replace() {
            replaced=$1
            shift
            "$@" <"$replaced" >/run/diskless/replaced || return 1
            # The old file's mode and owner stay.
            cp -p "$replaced" /run/diskless/replacement
            cat /run/diskless/replaced >/run/diskless/replacement
            rm -f "$replaced"
            cp -p /run/diskless/replacement "$replaced"
            rm -f /run/diskless/replaced /run/diskless/replacement
        }

        # service NAME KIND DESCRIPTION COMMAND...: COMMAND is started by the image's init, whichever that is.
        # KIND: last = once, when everything else is up; daemon = kept running; early = kept running, from the start.
        service() {
            service_name=$1 service_kind=$2 service_text=$3
            shift 3
            if has_systemd; then
                service_systemd "$@"
            elif has_openrc; then
                service_openrc "$@"
            elif [ -f /etc/inittab ]; then
                service_inittab "$@"
            fi
        }

        # has_systemd: whether systemd will be this root's init. Only then may /run/systemd/system be made: programs take it
        # for the sign that systemd runs (sd_booted(3)).
        has_systemd() {
            root_init=/sbin/init
            for word in $(cat /proc/cmdline); do
                case $word in init=*) root_init=${word#init=} ;; esac
            done
            case $(readlink -f "$root_init") in
            */systemd) return 0 ;;
            esac
            # Called by a program of another name, where no other init is.
            [ -x /usr/lib/systemd/systemd ] && [ ! -f /etc/inittab ] && ! has_openrc
        }

        has_openrc() { [ -x /sbin/openrc ] || [ -x /usr/sbin/openrc ] || [ -x /usr/bin/openrc ]; }

        service_systemd() {
            target=multi-user.target
            [ "$service_kind" = early ] && target=sysinit.target
            mkdir -p "/run/systemd/system/$target.wants"
            {
                printf '[Unit]\nDescription=%s\n' "$service_text"
                case $service_kind in
                last) printf 'After=multi-user.target\n[Service]\nType=oneshot\nTimeoutStartSec=90\n' ;;
                early) printf 'DefaultDependencies=no\nIgnoreOnIsolate=yes\n[Service]\nRestart=always\nRestartSec=30\n' ;;
                *) printf '[Service]\nRestart=always\nRestartSec=10\nIgnoreSIGPIPE=no\n' ;;
                esac
                printf 'Environment=PATH=/usr/sbin:/usr/bin:/sbin:/bin\nExecStart=%s\n' "$*"
            } >"/run/systemd/system/$service_name.service"
            ln -sfn "../$service_name.service" "/run/systemd/system/$target.wants/$service_name.service"
        }

        service_openrc() {
            runlevel=default
            [ "$service_kind" = early ] && runlevel=boot
            runner=/sbin/openrc-run
            [ -x $runner ] || runner=/usr/sbin/openrc-run
            [ -x $runner ] || runner=/usr/bin/openrc-run
            mkdir -p /etc/init.d "/etc/runlevels/$runlevel"
            {
                printf '#!%s\ndescription="%s"\n' "$runner" "$service_text"
                case $service_kind in
                last) printf 'depend() {\n    after *\n}\nstart() {\n    ebegin "%s"\n    %s\n    eend $?\n}\n' "$service_text" "$*" ;;
                *)
                    printf 'command="%s"\n' "$1"
                    shift
                    printf 'command_args="%s"\ncommand_background=yes\npidfile="/run/%s.pid"\n' "$*" "$service_name"
                    ;;
                esac
            } >"/etc/init.d/$service_name"
            chmod 755 "/etc/init.d/$service_name"
            ln -sfn "/etc/init.d/$service_name" "/etc/runlevels/$runlevel/$service_name"
        }

        # Lines of inittab(5) are taken in their order: one at the end waits until the runlevel's scripts have run.
        service_inittab() {
            action=respawn
            [ "$service_kind" = last ] && action=once
            replace /etc/inittab sed "/# $service_name\$/,+1d"
            count=$(grep -c '^dl[0-9]:' /etc/inittab)
            printf '# %s\ndl%s:2345:%s:%s\n' "$service_name" "$count" "$action" "$*" >>/etc/inittab
        }

        """#
}
