import DHCP
import NetworkTypes

/// What the boot firmware of a Raspberry Pi tells and wants; it calls itself a BIOS.
enum RaspberryPi {
    /// Prefixes of the hardware addresses of its makers; for ROMs that tell nothing else.
    private static let makers: Set<UInt64> = [
        0xb827eb, 0xdca632, 0xe45f01, 0xd83add, 0x28cdc1, 0x2ccf67, 0x88a29e,
    ]

    /// Whether a PXE request is one's: option 97 begins with "RPi", else by its maker's hardware address.
    static func isOne(_ message: DHCPMessage, mac: MACAddress) -> Bool {
        if let identifier = message.joined(.machineIdentifier), identifier.count == 17, identifier[0] == 0,
            // The GUID's first field is little-endian, so the text stands in either order.
            identifier[1...3].elementsEqual("RPi".utf8) || identifier[2...4].elementsEqual("iPR".utf8)
        {
            return true
        }
        return makers.contains(mac.value >> 24) && message.vendorClass()?.isPXE == true
    }

    /// The menu without which it takes no answer: discovery control 3, prompt "PXE", and one item whose text is fixed.
    ///
    /// A Pi 3's ROM compares the text with three spaces behind it; later firmware takes that too.
    static let vendorOptions = PXEVendorOptions([
        .init(6, [3]), PXEVendorOptions.prompt("PXE", seconds: 0),
        PXEVendorOptions.menu([.init(type: 0, text: "Raspberry Pi Boot   ")]),
    ])
}
