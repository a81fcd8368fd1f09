extension AgentScript {
    /// Merges the people who may log in over the image's accounts; with `homes` also makes their home directories.
    ///
    /// What it changed is written down, so that it can be taken back, and so that an account of the image which one of
    /// ours covered comes back with it.
    public static let mergeUsers = #"""
        #!/run/diskless/busybox sh
        # Merges /run/diskless/users over passwd, shadow and group, never losing what else is there.
        facts=/run/diskless
        bb=$facts/busybox
        list=$facts/users
        own=/etc/diskless-accounts
        work=$facts/accounts
        umask 077
        [ -e $list ] || exit 0
        $bb mkdir -p $work

        # Homes on another machine are made by the server, where root of this one is nobody: they are filled by their owners.
        if [ "$1" = homes ]; then
            while IFS='	' read -r kind name uid _ home _; do
                [ "$kind" = user ] || continue
                if [ ! -e "$home" ]; then
                    (umask 022; $bb mkdir -p "${home%/*}") 2>/dev/null
                    $bb mkdir "$home" 2>/dev/null && $bb chmod 700 "$home" && $bb chown "$uid:$uid" "$home"
                fi
                [ -d /etc/skel ] || continue
                # shellcheck disable=SC2016 # words of that shell
                $bb su -s /bin/sh "$name" -c '[ -O "$1" ] && [ -z "$($2 ls -A "$1")" ] && umask 077 && $2 cp -R /etc/skel/. "$1"' \
                    sh "$home" $bb </dev/null >/dev/null 2>&1
            done <$list
            exit 0
        fi

        # A root that cannot be written gets copies in memory, mounted over its files.
        if ! (: >>$own) 2>/dev/null; then
            [ -e $work/own ] || $bb cat $own >$work/own 2>/dev/null
            own=$work/own
            for file in passwd shadow group; do
                [ -e /etc/$file ] && [ ! -e $work/$file ] || continue
                $bb cp -p /etc/$file $work/$file
                $bb mount -o bind $work/$file /etc/$file
            done
        fi

        # put FILE NEW: makes the new content the file's, in one step where that is possible.
        put() {
            $bb cmp -s "$2" "$1" && return
            if $bb cp -p "$1" "$1.diskless" 2>/dev/null && $bb cat "$2" >"$1.diskless" && $bb mv "$1.diskless" "$1" 2>/dev/null; then
                return
            fi
            $bb rm -f "$1.diskless"
            $bb cat "$2" >"$1"
        }

        : >$work/own.new
        for file in passwd shadow; do
            [ -e /etc/$file ] || continue
            $bb awk -v file=$file -v kept=$work/own.new '
                BEGIN { FS = "\t" }
                part == "own" && $1 == "mine" && $2 == file { mine[$3] = 1 }
                part == "own" && $1 == "was" && $2 == file { split($3, field, ":"); was[field[1]] = $3 }
                part == "own" && $1 == "given" { given[$2] = $3 }
                part == "list" && $1 == "user" {
                    name[++count] = $2
                    hash[$2] = $6
                    line[$2] = file == "passwd" ? $2 ":x:" $3 ":" $3 ":" $7 ":" $5 ":" $4 : $2 ":" $6 "::0:99999:7:::"
                }
                part == "file" {
                    split($0, field, ":")
                    if (field[1] in mine) {
                        # A password that was changed here stays until the fleet gives another one.
                        if (file == "shadow" && (field[1] in line) && (field[1] in given))
                            if (given[field[1]] == hash[field[1]]) line[field[1]] = $0
                        next
                    }
                    if (field[1] in line) was[field[1]] = $0
                    else print
                }
                END {
                    for (one in was) {
                        if (one in line) print "was\t" file "\t" was[one] >>kept
                        else print was[one]
                    }
                    for (number = 1; number <= count; number++) {
                        print line[name[number]]
                        print "mine\t" file "\t" name[number] >>kept
                        if (file == "shadow") print "given\t" name[number] "\t" hash[name[number]] >>kept
                    }
                }' part=own $own part=list $list part=file /etc/$file >$work/$file.new && put /etc/$file $work/$file.new
        done

        # Groups: one for each user, further ones made where the image has none, memberships added.
        $bb awk -v kept=$work/own.new '
            BEGIN { FS = "\t" }
            part == "own" && $1 == "group" { mine[$2] = 1 }
            part == "own" && $1 == "joined" { joined[$2, $3] = 1 }
            part == "list" && $1 == "user" { user[++users] = $2; id[$2] = $3 }
            part == "list" && $1 == "member" { wanted[++members] = $2; who[members] = $3 }
            part == "file" {
                split($0, field, ":")
                if (field[1] in mine) next
                list = ""
                number = split(field[4], person, ",")
                for (i = 1; i <= number; i++)
                    if (!((field[1], person[i]) in joined)) list = list (list == "" ? "" : ",") person[i]
                group[++groups] = field[1]
                head[field[1]] = field[1] ":" field[2] ":" field[3] ":"
                people[field[1]] = list
                taken[field[3]] = 1
            }
            END {
                for (i = 1; i <= users; i++) {
                    if (user[i] in head || id[user[i]] in taken) continue
                    group[++groups] = user[i]
                    head[user[i]] = user[i] ":x:" id[user[i]] ":"
                    taken[id[user[i]]] = 1
                    print "group\t" user[i] >>kept
                }
                free = 61000
                for (i = 1; i <= members; i++) {
                    if (!(wanted[i] in head)) {
                        while (free in taken) free++
                        group[++groups] = wanted[i]
                        head[wanted[i]] = wanted[i] ":x:" free ":"
                        taken[free] = 1
                        print "group\t" wanted[i] >>kept
                    }
                    list = people[wanted[i]]
                    if (index("," list ",", "," who[i] ",")) continue
                    people[wanted[i]] = list (list == "" ? "" : ",") who[i]
                    print "joined\t" wanted[i] "\t" who[i] >>kept
                }
                for (i = 1; i <= groups; i++) print head[group[i]] people[group[i]]
            }' part=own $own part=list $list part=file /etc/group >$work/group.new && put /etc/group $work/group.new
        put $own $work/own.new

        # Keys lie beside those that people have in their homes: sshd reads both.
        $bb rm -rf $work/keys
        $bb mkdir $work/keys
        while IFS='	' read -r kind name line; do
            [ "$kind" = key ] && echo "$line" >>"$work/keys/$name"
        done <$list
        $bb chmod 755 $work/keys
        for file in "$work"/keys/*; do [ -e "$file" ] && $bb chmod 644 "$file"; done
        $bb rm -rf $facts/ssh-keys
        $bb mv $work/keys $facts/ssh-keys

        $bb sha256sum <$list | $bb cut -d' ' -f1 >$facts/users.digest
        command -v nscd >/dev/null 2>&1 && { nscd -i passwd; nscd -i group; } >/dev/null 2>&1
        exit 0
        """#
}
