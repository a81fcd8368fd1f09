import Foundation
import Testing

/// The systemd unit that is installed, and what it leaves a process of its rights.
///
/// No systemd is asked: what its settings mean (systemd.exec(5)) is done with the same system calls, for the settings that
/// decide what may be written and which rights are left.
struct ServiceUnit {
    /// The values of each setting of its sections, in their order.
    private let settings: [String: [String]]
    /// Where it lies.
    static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Packaging/diskless.service.in").standardized

    /// Whether the tools for that, and for an image to mount, are there.
    static let canBePlayed = ["setpriv", "unshare", "mksquashfs", "python3"].allSatisfy(NBDClientProgram.isThere)

    init() throws {
        var settings: [String: [String]] = [:]
        for line in try String(contentsOf: Self.file, encoding: .utf8).split(separator: "\n")
        where !line.hasPrefix("#") && !line.hasPrefix("[") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            try #require(parts.count == 2, "\(line)")
            settings[String(parts[0]), default: []].append(String(parts[1]))
        }
        self.settings = settings
    }

    /// The words of a setting, of all its lines.
    func words(_ name: String) -> [String] {
        (settings[name] ?? []).flatMap { $0.split(separator: " ").map(String.init) }
    }

    /// Whether a setting is said and not "no".
    func isOn(_ name: String) -> Bool {
        words(name).last.map { !["no", "false", "off", "0"].contains($0) } ?? false
    }

    /// What the process may not write to.
    private var readOnly: [String] {
        var paths = words("ReadOnlyPaths")
        switch words("ProtectSystem").last {
        case "strict": paths.append("/")
        case "full": paths += ["/usr", "/boot", "/efi", "/etc"]
        case "yes": paths += ["/usr", "/boot", "/efi"]
        default: break
        }
        if isOn("ProtectHome") { paths += ["/home", "/root", "/run/user"] }
        if isOn("ProtectKernelTunables") { paths += ["/proc/sys", "/sys"] }
        if isOn("ProtectControlGroups") { paths.append("/sys/fs/cgroup") }
        return paths
    }

    /// Whether the process reaches only the devices that everybody does, and can make no others.
    ///
    /// With a first DeviceAllow= all that is not allowed is denied; ProtectClock= implies one (before systemd 253).
    var hasFewDevices: Bool {
        isOn("PrivateDevices") || isOn("ProtectClock") || !words("DeviceAllow").isEmpty
            || !["auto", nil].contains(words("DevicePolicy").last)
    }

    /// The words that start a program as the unit would, in a mount namespace of its own; `state` is its state directory.
    func confinement(state: String) -> [String] {
        let writable =
            words("ReadWritePaths") + words("RuntimeDirectory").map { "/run/\($0)" } + [state, "/dev", "/proc"]
        let rights = words("CapabilityBoundingSet").map { "+\($0.dropFirst("CAP_".count).lowercased())" }
        let script = """
            set -e
            # As systemd does it: mounts of the computer arrive here, and those made here stay here.
            mount --make-rshared /
            inside() { for above in $2; do case $1/ in ${above%/}/*) return 0;; esac; done; return 1; }
            readonly='\(readOnly.joined(separator: " "))' writable='\(writable.joined(separator: " "))'
            for place in $readonly $writable; do
                [ $place = / ] || [ ! -e $place ] || mount --rbind $place $place
            done
            for place in $(cut -d ' ' -f 5 /proc/self/mountinfo); do
                # Others lie below newer ones, and cannot be reached.
                mountpoint -q $place && inside $place "$readonly" && ! inside $place "$writable" || continue
                mount -o remount,bind,ro $place
            done
            # /tmp stays: the test's own files lie there.
            if \(isOn("PrivateTmp")); then mount -t tmpfs none /var/tmp; fi
            if \(hasFewDevices); then for device in /dev/loop*; do mount --bind /dev/null $device; done; fi
            exec setpriv --bounding-set=\((["-all"] + rights).joined(separator: ",")) \
                \(isOn("NoNewPrivileges") ? "--no-new-privs" : "") -- "$@"
            """
        return ["unshare", "-m", "--propagation", "slave", "sh", "-c", script, "sh"]
    }
}
