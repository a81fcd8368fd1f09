// swift-tools-version: 6.2
// The layers of docs/architecture.md are folders below Sources/; a target depends only on layers above its own.
import PackageDescription

/// Settings that every Swift target shares (docs/decisions/0003-swift-settings.md).
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableExperimentalFeature("Lifetimes"),
    .strictMemorySafety(),
    // CLinux needs the GNU declarations. Every module must read the C library's headers the same way: otherwise clang
    // finds two definitions of fd_set and others where a file sees both CLinux and Foundation.
    .unsafeFlags(["-Xcc", "-D_GNU_SOURCE"]),
]

/// A library target in `Sources/<layer>/<name>`.
func module(_ layer: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(layer)/\(name)", swiftSettings: settings)
}

/// The tests of one target, in `Tests/<name>Tests`.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.init(stringLiteral: name)] + dependencies,
        path: "Tests/\(name)Tests",
        swiftSettings: settings
    )
}

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let sqlite: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "diskless",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "diskless", targets: ["diskless"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // System: what the operating system gives; C only where Swift cannot reach.
        .target(name: "CLinux", path: "Sources/System/CLinux"),
        .systemLibrary(
            name: "COpenSSL",
            path: "Sources/System/COpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]
        ),
        module("System", "Locking", ["CLinux"]),
        module("System", "FileSystems", ["CLinux"]),

        // Primitives
        module("Primitives", "ByteCoding"),
        module("Primitives", "NetworkTypes"),
        module("Primitives", "Digests", ["CLinux", "COpenSSL"]),

        // Protocols: messages and state machines, without sockets, clock, randomness or logging.
        module("Protocols", "DHCP", ["ByteCoding", "NetworkTypes"]),
        module("Protocols", "NeighborDiscovery", ["ByteCoding", "NetworkTypes"]),
        module("Protocols", "TFTP", ["ByteCoding"]),
        module("Protocols", "HTTP1", ["ByteCoding"]),
        module("Protocols", "WakeOnLAN", ["NetworkTypes"]),
        module("Protocols", "NBD", ["ByteCoding"]),
        module("Protocols", "XDR", ["ByteCoding"]),
        module("Protocols", "ONCRPC", ["XDR"]),
        module("Protocols", "NFS3", ["XDR", "ONCRPC"]),
        module("Protocols", "NFS4", ["XDR", "ONCRPC", "NetworkTypes"]),
        module("Protocols", "DNS", ["ByteCoding", "NetworkTypes"]),

        // Formats
        module("Formats", "CPIO", ["ByteCoding"]),
        module("Formats", "CSV"),
        module("Formats", "FAT"),
        module("Formats", "PCAP", ["ByteCoding", "NetworkTypes"]),
        module("Formats", "Mustache"),

        // Domain: what a node is and what it boots; the border to the wire.
        module("Domain", "BootModel", ["NetworkTypes"]),
        module("Domain", "NodeAgent", ["BootModel", "NetworkTypes"]),
        module("Domain", "Netboot", ["BootModel", "NetworkTypes", "DHCP", "TFTP", "HTTP1", "NBD", "DNS"]),

        // Storage
        module("Storage", "BlockStorage", ["Locking", "CLinux"]),
        module("Storage", "FileTree", ["Locking", "CLinux"]),
        module("Storage", "TreeMounts", ["CLinux"]),
        module("Storage", "ImageStore", ["BootModel", "Digests", "FileSystems", "CLinux"]),
        module(
            "Storage",
            "Registry",
            ["BootModel", "NodeAgent", "NetworkTypes", "ByteCoding", "Digests", "CLinux", sqlite]
        ),

        // Images
        module("Images", "InitramfsBuilder", ["CPIO", "CLinux"]),
        module(
            "Images",
            "OverlayFiles",
            ["BootModel", "NetworkTypes", "CPIO", "Mustache", "Digests", "CLinux", "COpenSSL"]
        ),
        module("Images", "ImageBuilder", ["BootModel", "ImageStore", "CPIO", "FileSystems", "CLinux"]),

        // Servers
        module("Servers", "NetworkIO", ["CLinux", "NetworkTypes"]),
        module(
            "Servers",
            "DHCPServer",
            ["NetworkIO", "DHCP", "NeighborDiscovery", "Netboot", "BootModel", "NetworkTypes", log]
        ),
        module("Servers", "TFTPServer", ["NetworkIO", "TFTP", "NetworkTypes", "CLinux", log]),
        module("Servers", "HTTPServer", ["NetworkIO", "HTTP1", "NetworkTypes", "CLinux", log]),
        module(
            "Servers",
            "NFSServer",
            ["NetworkIO", "NFS3", "NFS4", "ONCRPC", "XDR", "FileTree", "NetworkTypes", "Locking", "CLinux", log]
        ),
        module("Servers", "DNSServer", ["NetworkIO", "DNS", "NetworkTypes", "CLinux", log]),
        module("Servers", "TLSTunnel", ["NetworkIO", "CLinux", "COpenSSL"]),
        module(
            "Servers",
            "NBDServer",
            ["NetworkIO", "TLSTunnel", "NBD", "BlockStorage", "FileSystems", "NetworkTypes", "CLinux", log]
        ),

        // Control: the admin API, its server and client, the fleet as text.
        module("Control", "AdminAPI", ["BootModel", "NodeAgent", "NetworkIO", "NetworkTypes", "CLinux"]),
        module("Control", "ForeignDHCP", ["BootModel", "NetworkTypes"]),
        module("Control", "FleetFile", ["BootModel", "NetworkTypes", "CSV", yaml]),
        module(
            "Control",
            "AdminServer",
            ["AdminAPI", "NodeAgent", "HTTPServer", "HTTP1", "BootModel", "FleetFile", "NetworkTypes", log]
        ),

        // Lab: virtual networks and machines, as values.
        module("Lab", "VirtualLab", ["CLinux", "NetworkTypes"]),

        // Programs: the composition root and the one executable.
        module(
            "Programs",
            "Daemon",
            [
                "AdminAPI", "NodeAgent", "AdminServer", "OverlayFiles", "Digests", "BootModel", "Netboot", "Registry",
                "ImageStore", "BlockStorage",
                "NetworkIO",
                "NetworkTypes",
                "DHCPServer", "TFTPServer", "HTTPServer", "NBDServer", "TFTP", "HTTP1", "NBD", "CLinux", log,
                "DNSServer", "DNS", "FAT", "CPIO",
                "NFSServer", "FileTree", "TreeMounts",
            ]
        ),
        .executableTarget(
            name: "diskless",
            dependencies: [
                "Daemon", "NodeAgent", "AdminAPI", "BootModel", "Netboot", "ForeignDHCP", "WakeOnLAN", "FleetFile",
                "ImageStore", "ImageBuilder", "InitramfsBuilder", "FileSystems",
                "VirtualLab", "NetworkIO", "NetworkTypes", "BlockStorage", "TFTPServer", "HTTPServer", "NBDServer",
                "NFSServer", "NFS4", "FileTree", "TLSTunnel", "TreeMounts", "Digests",
                "TFTP", "HTTP1", "NBD", "CLinux", arguments, log,
            ],
            path: "Sources/Programs/diskless",
            swiftSettings: settings
        ),

        // Tests
        tests("ByteCoding"),
        tests("Mustache"),
        tests("OverlayFiles", ["BootModel", "NetworkTypes", "CPIO", "Mustache"]),
        tests("NetworkTypes"),
        tests("DHCP", ["NetworkTypes", "PCAP"]),
        tests("NeighborDiscovery", ["NetworkTypes"]),
        tests("PCAP", ["NetworkTypes"]),
        tests("DHCPServer", ["DHCP", "Netboot", "BootModel", "NetworkTypes", "NetworkIO", "PCAP", "CLinux", log]),
        tests("BootModel", ["NetworkTypes"]),
        tests(
            "Daemon",
            [
                "BootModelConformance", "BootModel", "HTTPServer", "HTTP1", "NetworkIO", "NetworkTypes", log,
                "AdminAPI", "CPIO", "OverlayFiles", "DNS", "CLinux", "BlockStorage", "NBD", "NBDServer", "NFSServer",
            ]
        ),
        tests("CPIO"),
        tests("CSV"),
        tests("FAT"),
        tests("InitramfsBuilder", ["CPIO", "CLinux"]),
        tests("TFTP", ["PCAP", "NetworkTypes"]),
        tests("HTTP1", ["PCAP"]),
        tests("WakeOnLAN", ["NetworkTypes"]),
        tests("ForeignDHCP", ["BootModel", "NetworkTypes"]),
        tests("TFTPServer", ["TFTP", "NetworkIO", "NetworkTypes", "CLinux", log]),
        tests("HTTPServer", ["HTTP1", "NetworkIO", "NetworkTypes", "CLinux", log]),
        tests("NodeAgent", ["BootModel", "NetworkTypes", "CLinux"]),
        tests("DNS", ["NetworkTypes"]),
        tests("DNSServer", ["DNS", "NetworkIO", "NetworkTypes", "CLinux", log]),
        tests("Netboot", ["BootModel", "DNS", "NetworkTypes"]),
        tests("FileTree", ["CLinux"]),
        tests("TreeMounts", ["FileTree", "CLinux"]),
        tests("NFSServer", ["NFS3", "NFS4", "ONCRPC", "XDR", "FileTree", "NetworkIO", "NetworkTypes", "CLinux", log]),
        tests("NBD", ["ByteCoding"]),
        tests("XDR"),
        tests("ONCRPC", ["XDR"]),
        tests("NFS3", ["XDR", "ONCRPC"]),
        tests("NFS4", ["XDR", "ONCRPC", "NetworkTypes"]),
        tests("BlockStorage", ["CLinux"]),
        tests("NBDServer", ["NBD", "BlockStorage", "NetworkIO", "NetworkTypes", "CLinux", log]),
        tests("Digests", ["CLinux"]),
        tests("Locking"),
        tests("ImageStore", ["FileSystems", "BootModel", "CLinux"]),
        tests("ImageBuilder", ["BootModel", "ImageStore", "CPIO", "FileSystems", "CLinux"]),
        tests("VirtualLab", ["NetworkTypes", "CLinux"]),
        // Other people's clients against our servers; they run the built program, so it is built with them.
        .testTarget(
            name: "InteropTests",
            dependencies: ["diskless", "ImageStore", "BootModel", "NetworkIO", "NetworkTypes", "CLinux"],
            path: "Tests/Interop",
            swiftSettings: settings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["VirtualLab", "NetworkTypes", "CLinux"],
            path: "Tests/EndToEnd",
            swiftSettings: settings
        ),
        .target(
            name: "BootModelConformance",
            dependencies: ["BootModel", "NetworkTypes"],
            path: "Tests/Support/BootModelConformance",
            swiftSettings: settings
        ),
        tests("Registry", ["BootModelConformance", "BootModel", "NetworkTypes", sqlite]),
        tests("FleetFile", ["BootModelConformance", "BootModel", "NetworkTypes"]),
        tests(
            "AdminServer",
            [
                "AdminAPI", "BootModelConformance", "BootModel", "FleetFile", "HTTPServer", "HTTP1", "NetworkIO",
                "NetworkTypes", log,
            ]
        ),
    ]
)
