import ArgumentParser
import NBDServer
import TLSTunnel

/// TLS for a server that runs alone.
struct TLSOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Offer TLS with this certificate (PEM, with its chain).", valueName: "file"),
        completion: .file()
    )
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key (PEM).", valueName: "file"), completion: .file())
    var tlsKey: String?

    @Option(
        help: ArgumentHelp("Take only clients whose certificates this authority signed (PEM).", valueName: "file"),
        completion: .file()
    )
    var tlsAuthority: String?

    @Flag(help: "Turn clients without TLS away.")
    var tlsRequired = false

    func validate() throws {
        guard tlsCertificate == nil || tlsKey == nil else { return }
        if tlsCertificate != nil || tlsKey != nil || tlsAuthority != nil || tlsRequired {
            throw ValidationError("TLS needs both --tls-certificate and --tls-key")
        }
    }

    /// What the NBD server needs; nil without a certificate.
    func encryption() throws -> NBDServer.Encryption? {
        guard let tlsCertificate, let tlsKey else { return nil }
        let identity = try TLSIdentity(certificate: tlsCertificate, key: tlsKey, clientAuthority: tlsAuthority)
        return NBDServer.Encryption(as: identity, isRequired: tlsRequired)
    }
}
