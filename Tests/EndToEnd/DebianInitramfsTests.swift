import Foundation
import Testing
import VirtualLab

/// Initramfs that are not ours with a root over NFS from us, by what the kernel's command line tells them all:
/// Debian's own (initramfs-tools, klibc's nfsmount) and dracut's.
@Suite(.serialized, .enabled(if: Repository.canRun, "no root, no built program, or a tool of the lab is missing"))
struct DebianInitramfsMatrixTests {
    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["keep"]))
    func itMountsItsRootFromUs(writes: String) throws {
        let lab = try EndToEndLab(
            "debian-initramfs",
            images: [.ram],
            fleet: TreeRootTests.fleet("deb", "root: {via: nfs, writes: \(writes), version: 3}"),
            configuration: "portmap: on\n"
        )
        defer { lab.lab.close() }
        try lab.server.addVersion(of: .ram, initramfs: "update-initramfs -c -k $release")
        let deb = try lab.node("deb", number: 1)
        try deb.machine.powerOn()
        try deb.login()
        #expect(try deb.run("findmnt -no FSTYPE /") == "nfs")
        // Nothing of our own initramfs ran.
        #expect(try deb.run("ls -d /run/diskless 2>/dev/null; test -d /run/initramfs && echo Debian") == "Debian")
        #expect(try lab.server.boot(of: "deb").passed("kernel", "initramfs", "root-connected"))
        // The kernel's client asks for the handle over UDP where it is told so; files come over TCP.
        let root = try deb.run("awk '$2 == \"/\" && $3 == \"nfs\" {print $1}' /proc/mounts")
        let options = "vers=3,nolock,proto=tcp,port=2049,mountproto=udp,mountport=2049,nosharecache"
        try deb.run(
            "mkdir -p /run/again; mount -i -t nfs -o addr=\(lab.lab.server.address),\(options) \(root) /run/again"
        )
        #expect(
            try deb.run("grep -c ' /run/again nfs .*mountproto=udp' /proc/mounts; ls /run/again/etc/fstab | wc -l")
                == "1\n1"
        )
        try deb.run("umount /run/again")
        try deb.writeThroughKills(of: lab)
        #expect(try deb.rootErrors() == "")
    }

    @Test(.timeLimit(.minutes(25)), arguments: Repository.whole(["dracut-3", "dracut-4.2"]))
    func dracutMountsItsRootFromUs(row: String) throws {
        let version = row.split(separator: "-")[1]
        let lab = try EndToEndLab(
            "initramfs-\(row)",
            images: [.dracut],
            fleet: TreeRootTests.fleet("deb", "root: {via: nfs, writes: keep, version: \(version)}", image: .dracut),
            // mount.nfs asks it where MOUNT is.
            configuration: version == "3" ? "portmap: on\n" : ""
        )
        defer { lab.lab.close() }
        try lab.server.addVersion(
            of: .dracut,
            initramfs: "dracut --quiet --no-hostonly --add network-legacy --add nfs /boot/initrd.img-$release $release"
        )
        let deb = try lab.node("deb", number: 1)
        try deb.machine.powerOn()
        try deb.login()
        #expect(try deb.run("findmnt -no FSTYPE /") == (version == "3" ? "nfs" : "nfs4"))
        #expect(try deb.run("findmnt -no OPTIONS / | tr , '\\n' | grep -x 'vers=.*'") == "vers=\(version)")
        // Nothing of our own initramfs ran.
        #expect(try deb.run("ls -d /run/diskless 2>/dev/null; test -d /run/initramfs && echo dracut") == "dracut")
        #expect(try lab.server.boot(of: "deb").passed("kernel", "initramfs", "root-connected"))
        try deb.writeThroughKills(of: lab)
        #expect(try deb.rootErrors() == "")
    }
}

extension DisklessServer {
    /// Publishes a further version whose initramfs is what `command` makes in the image, as /boot/initrd.img-$release.
    fileprivate func addVersion(of image: TestImage, initramfs command: String) throws {
        try publish(image) { old, new in
            """
            ln \(old)/root.squashfs \(new)/root.squashfs
            unsquashfs -quiet -no-progress -d \(new)/root \(old)/root.squashfs >/dev/null
            # Our images have the kernel beside the root, so that "all" would find none.
            release=$(ls \(new)/root/usr/lib/modules)
            export release root=\(new)/root TMPDIR=/tmp
            unshare --mount sh -ec 'mount -t proc none $root/proc; chroot $root \(command)' >/dev/null
            cp \(new)/root/boot/initrd.img-$release \(new)/initramfs
            rm -rf \(new)/root
            """
        }
    }
}
