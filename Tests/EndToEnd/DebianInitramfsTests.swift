import Foundation
import Testing
import VirtualLab

/// Debian's own initramfs (initramfs-tools, klibc's nfsmount) with a root over NFS from us: `root=/dev/nfs nfsroot=…`.
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
        try lab.server.addVersionWithDebianInitramfs(of: .ram)
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
}

extension DisklessServer {
    /// Publishes a further version whose initramfs is what `update-initramfs` makes in the image.
    func addVersionWithDebianInitramfs(of image: TestImage) throws {
        try publish(image) { old, new in
            """
            ln \(old)/root.squashfs \(new)/root.squashfs
            unsquashfs -quiet -no-progress -d \(new)/root \(old)/root.squashfs >/dev/null
            mount -t proc none \(new)/root/proc
            # Our images have the kernel beside the root, so that "all" would find none.
            chroot \(new)/root update-initramfs -c -k "$(ls \(new)/root/usr/lib/modules)" >/dev/null
            umount \(new)/root/proc
            cp \(new)/root/boot/initrd.img-* \(new)/initramfs
            rm -rf \(new)/root
            """
        }
    }
}
