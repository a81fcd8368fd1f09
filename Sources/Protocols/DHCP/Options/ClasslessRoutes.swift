public import NetworkTypes

extension DHCPOption {
    /// Option 121: for each route its prefix length, as many bytes of the subnet as that needs, and the router
    /// (RFC 3442).
    ///
    /// A client that takes it ignores the routers of option 3, so the default route must be among these.
    public static func classlessRoutes(_ routes: [(subnet: IPv4Subnet, router: IPv4Address)]) -> DHCPOption {
        DHCPOption(
            .classlessRoutes,
            routes.flatMap { route in
                [UInt8(route.subnet.prefixLength)]
                    + route.subnet.address.bytes.prefix((route.subnet.prefixLength + 7) / 8) + route.router.bytes
            }
        )
    }
}
