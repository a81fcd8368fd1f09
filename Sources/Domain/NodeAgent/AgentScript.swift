/// The programs of the agent on a node: text for busybox's shell, so that they run on every architecture and image.
///
/// They use `/run/diskless/busybox` and nothing of the image but its shell for commands, its `systemctl` or `reboot`, and
/// its account files.
public enum AgentScript {
    /// The agent itself: asks the server what there is to do, and does it (docs/protocols/agent.md).
    ///
    /// The token is written into the request by the shell: an argument would be seen in the list of processes.
    public static let agent = #"""
        #!/run/diskless/busybox sh
        # The agent of a diskless node: asks its boot server what there is to do, and does it.
        facts=/run/diskless
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        export PATH
        umask 077
        bb=$facts/busybox
        work=$facts/agent.work
        $bb rm -rf $work
        $bb mkdir -p $work
        # shellcheck source=/dev/null
        . $facts/agent.conf # server, port, node
        cr=$($bb printf '\r')
        read -r token <$facts/token || exit 1

        # ask SECONDS PATH [FILE]: posts the file, or gets; prints the answer's body. Fails unless the status is 2xx.
        ask() {
            length=0 method=GET
            if [ $# -gt 2 ]; then method=POST length=$($bb wc -c <"$3"); fi
            {
                $bb cat <<END
        $method /node/$node/$2 HTTP/1.0$cr
        Host: $server$cr
        Authorization: Bearer $token$cr
        Content-Length: $length$cr
        $cr
        END
                [ $# -gt 2 ] && $bb cat "$3"
            } | $bb timeout "$1" $bb nc -w "$1" "$server" "$port" 2>/dev/null | {
                read -r _ status _ || exit 1
                while read -r line && [ "$line" != "$cr" ] && [ -n "$line" ]; do :; done
                $bb cat
                case $status in
                2??) exit 0 ;;
                401 | 403) exit 2 ;;
                404 | 410) exit 3 ;;
                esac
                exit 1
            }
        }

        condition() {
            read -r load _ </proc/loadavg && echo "load $load"
            read -r up _ </proc/uptime && echo "uptime ${up%%.*}"
            $bb awk '/^MemTotal:/ { t = $2 } /^MemAvailable:/ { a = $2 } END { print "memory", t, a }' /proc/meminfo
            $bb df -kP / 2>/dev/null | $bb awk 'NR == 2 { print "root", $2, $3 }'
            echo "kernel $($bb uname -r)"
            echo "users $($bb cat $facts/users.digest 2>/dev/null || echo -)"
        }

        # take_users: the people who may log in have changed.
        take_users() {
            ask 30 users >$work/users && $bb mv $work/users $facts/users &&
                $bb sh $facts/merge-users && $bb sh $facts/merge-users homes
        }

        # rest ID OUTPUT: sends what the output has more than was sent.
        rest() {
            while :; do
                if [ "$2" = out ]; then sent=$sent_out; else sent=$sent_err; fi
                size=$($bb wc -c <"$dir/$2" 2>/dev/null) || return 0
                [ "$size" -gt "$sent" ] || return 0
                $bb tail -c +$((sent + 1)) "$dir/$2" | $bb head -c 65536 >"$dir/piece"
                piece=$($bb wc -c <"$dir/piece")
                ask 20 "output/$1/$2/$sent" "$dir/piece" >/dev/null
                case $? in
                0) sent=$((sent + piece)) ;;
                1) return 1 ;; # the server is busy or away: the next round tries again
                *) sent=$((sent + piece)) ;; # nobody waits for it any more
                esac
                if [ "$2" = out ]; then sent_out=$sent; else sent_err=$sent; fi
            done
        }

        now() { read -r up _ </proc/uptime && echo "${up%%.*}"; }

        # run ID SECONDS BYTES: runs a command, sends what it puts out, and how it ended.
        run() {
            dir=$work/$1 sent_out=0 sent_err=0 pause=0.1 over='' ended='' late='' tries=0
            $bb mkdir "$dir" || return
            ask 20 "command/$1" >"$dir/script" || { $bb rm -rf "$dir"; return; }
            $bb cp "$dir/script" "$dir/sh"
            # At least one byte more than asked for tells that there was more; cat passes on at once what it gets.
            keep() {
                (ulimit -c 0; ulimit -f $(($1 / 512 + 1)); exec $bb cat) 2>/dev/null
                $bb cat >/dev/null
                : >"$2"
            }
            {
                {
                    $bb setsid sh -c 'echo $$ >"$0/pid"; cd /; umask 022; exec sh "$0/sh" </dev/null' "$dir" 3>&-
                    echo $? >"$dir/code.part"
                    $bb mv "$dir/code.part" "$dir/code"
                } 2>&1 1>&3 3>&- | keep "$3" "$dir/err.end" >"$dir/err"
            } 3>&1 | keep "$3" "$dir/out.end" >"$dir/out" &
            deadline=$(($(now) + $2))
            while :; do
                if [ -e "$dir/code" ]; then
                    # What a program left behind keeps open is not waited for long.
                    [ -n "$over" ] || over=$(now)
                    if [ -e "$dir/out.end" ] && [ -e "$dir/err.end" ] || [ $(($(now) - over)) -ge 3 ]; then ended=yes; fi
                fi
                rest "$1" out && rest "$1" err
                if [ $? -ne 0 ]; then
                    tries=$((tries + 1))
                    [ $tries -gt 60 ] && break
                    $bb sleep 1
                    continue
                fi
                tries=0
                [ -n "$ended" ] && break
                if [ "$(now)" -ge "$deadline" ]; then
                    pid=$($bb cat "$dir/pid" 2>/dev/null)
                    if [ -z "$late" ]; then signal=TERM deadline=$(($(now) + 5)) late=yes; else signal=KILL; fi
                    [ -n "$pid" ] && $bb kill -$signal -- "-$pid" 2>/dev/null
                fi
                $bb sleep $pause
                case $pause in 0.1) pause=0.3 ;; 0.3) pause=1 ;; esac
            done
            {
                if [ -n "$late" ]; then echo "late $2"; else echo "status $($bb cat "$dir/code")"; fi
                [ "$($bb wc -c <"$dir/out")" -gt "$3" ] || [ "$($bb wc -c <"$dir/err")" -gt "$3" ] && echo cut
            } >"$dir/result"
            for _ in 1 2 3 4 5; do
                ask 20 "done/$1" "$dir/result" >/dev/null
                [ $? -eq 1 ] || break
                $bb sleep 2
            done
            $bb rm -rf "$dir"
        }

        # leave reboot|poweroff ID: the server knows before the network goes.
        leave() {
            echo 'status 0' >$work/leave
            ask 20 "done/$2" $work/leave >/dev/null
            # By its name: files of systemd may lie in an image whose init is another one.
            init=''
            read -r init </proc/1/comm
            # By its path: the shell has a program of that name in itself, to whose signal sysvinit does not listen.
            if [ "$init" = systemd ]; then systemctl --no-block "$1"; else "/sbin/$1"; fi ||
                { $bb sync; $bb "$1" -f; }
        }

        $bb sh $facts/merge-users homes
        pause=1
        while :; do
            condition >$work/condition
            # No longer than the server makes a question wait, and some time for its answer.
            ask 75 ask $work/condition >$work/orders
            case $? in
            0)
                pause=1
                while read -r word id seconds bytes; do
                    case $word in
                    users) take_users ;;
                    run) run "$id" "$seconds" "$bytes" & ;;
                    reboot | poweroff) leave "$word" "$id" ;;
                    pause) $bb sleep "$id" ;;
                    esac
                done <$work/orders
                ;;
            2) $bb sleep 60 ;; # the token is not taken: this boot is over for the server
            *)
                # All nodes of a hall must not ask at the same moment when the server is back.
                $bb sleep $((pause + $$ % (pause + 1)))
                [ $pause -ge 16 ] || pause=$((pause * 2))
                ;;
            esac
        done
        """#

    /// Puts the agent and the accounts into a root before its init starts; `service` is of the overlay's lib.sh.
    public static let prepare = #"""
        # Run in the new root, before its init.
        facts=/run/diskless
        bb=$facts/busybox
        $bb sh $facts/merge-users

        # sshd of before its drop-in directory, or an image without one.
        config=/etc/ssh/sshd_config
        keys='AuthorizedKeysFile .ssh/authorized_keys /run/diskless/ssh-keys/%u'
        if [ -f $config ] && ! $bb grep -qs ssh-keys/%u $config /etc/ssh/sshd_config.d/*.conf; then
            if $bb grep -qi '^[[:space:]]*include[[:space:]]*/etc/ssh/sshd_config.d/' $config &&
                { echo "$keys" >/etc/ssh/sshd_config.d/10-diskless.conf; } 2>/dev/null; then
                :
            else
                { echo "$keys"; $bb cat $config; } >$facts/sshd_config
                $bb chmod 644 $facts/sshd_config
                $bb cp $facts/sshd_config $config 2>/dev/null || $bb mount -o bind $facts/sshd_config $config
            fi
        fi

        # The token is there only when a boot got its secrets.
        [ -s $facts/token ] || exit 0
        service diskless-agent daemon "Keeps this diskless machine in touch with its boot server" \
            /run/diskless/busybox sh /run/diskless/agent
        """#
}
