// swift-tools-version: 6.2
// Fuzz targets for every decoder of the network's bytes; `make fuzz` runs them, `make test` for a while.
// Sources/{Primitives,Protocols,Formats,Domain} are links into the main package, so that the decoders themselves are
// instrumented, `package` declarations are visible, and no dependency of the program is fetched or built.
import PackageDescription

let instrumented: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .unsafeFlags(["-sanitize=fuzzer,address", "-enforce-exclusivity=checked"]),
]

func module(_ layer: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(layer)/\(name)", swiftSettings: instrumented)
}

let package = Package(
    name: "diskless-fuzz",
    platforms: [.macOS(.v26)],
    targets: [
        module("Primitives", "ByteCoding"),
        module("Primitives", "NetworkTypes"),
        module("Protocols", "DHCP", ["ByteCoding", "NetworkTypes"]),
        module("Protocols", "NeighborDiscovery", ["ByteCoding", "NetworkTypes"]),
        module("Protocols", "TFTP", ["ByteCoding"]),
        module("Protocols", "HTTP1", ["ByteCoding"]),
        module("Protocols", "NBD", ["ByteCoding"]),
        module("Protocols", "XDR", ["ByteCoding"]),
        module("Protocols", "ONCRPC", ["XDR"]),
        module("Protocols", "NFS3", ["XDR", "ONCRPC"]),
        module("Protocols", "DNS", ["ByteCoding", "NetworkTypes"]),
        module("Protocols", "NFS4", ["XDR", "ONCRPC", "NetworkTypes"]),
        module("Formats", "CPIO", ["ByteCoding"]),
        module("Formats", "CSV"),
        module("Formats", "PCAP", ["ByteCoding", "NetworkTypes"]),
        module("Formats", "Mustache"),
        module("Domain", "BootModel", ["NetworkTypes"]),
        module("Domain", "NodeAgent", ["BootModel", "NetworkTypes"]),
        .target(name: "CLibFuzzer"),
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "CLibFuzzer", "ByteCoding", "NetworkTypes", "DHCP", "NeighborDiscovery", "TFTP", "HTTP1", "NBD", "CPIO",
                "CSV", "BootModel", "NodeAgent",
                "Mustache", "PCAP", "XDR", "ONCRPC", "NFS3", "NFS4", "DNS",
            ],
            swiftSettings: instrumented,
            // gold fails on the sanitizer's debug information; lld comes with the toolchain.
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]
        ),
    ]
)
