internal import CLinux

/// The programs that mmdebstrap calls at the beginning and at the end; each gets the tree as its argument.
enum BuildHooks {
    /// Puts packages that an earlier build fetched where apt looks for them: as links where the file system allows it.
    static func setup(cache: String) -> String {
        """
        #!/bin/sh
        set -eu
        archives="$1/var/cache/apt/archives"
        mkdir -p "$archives"
        for package in \(quoted(cache))/*.deb; do
            [ -e "$package" ] || break
            ln "$package" "$archives/" 2>/dev/null || cp "$package" "$archives/"
        done

        """
    }

    /// Keeps what was fetched, makes the locale and runs the user's script.
    static func customize(cache: String, locale: String?, script: String?) -> String {
        var text = """
            #!/bin/sh
            set -eu
            tree=$1
            mkdir -p \(quoted(cache))
            for package in "$tree"/var/cache/apt/archives/*.deb; do
                [ -e "$package" ] || break
                kept=\(quoted(cache))/${package##*/}
                [ -e "$kept" ] || ln "$package" "$kept" 2>/dev/null || cp "$package" "$kept"
            done

            """
        if let locale, locale != "C.UTF-8" {
            // The character set is the part after the dot, without what follows an @.
            let charset = locale.split(separator: ".").dropFirst().first.map { $0.prefix { $0 != "@" } } ?? "ISO-8859-1"
            text += """
                printf '%s\\n' \(quoted("\(locale) \(charset)")) > "$tree/etc/locale.gen"
                chroot "$tree" locale-gen

                """
        }
        if let script {
            text += """
                install -m 0700 \(quoted(script)) "$tree/run/diskless-script"
                chroot "$tree" /run/diskless-script
                rm -f "$tree/run/diskless-script"

                """
        }
        return text
    }

    /// Text as one word of the shell.
    static func quoted(_ text: String) -> String {
        var word = "'"
        for character in text { word += character == "'" ? "'\\''" : String(character) }
        return word + "'"
    }
}
