/// The `tls` part of the server's configuration.
public struct EncryptionConfiguration: Hashable, Sendable {
    /// Who may come without TLS.
    public enum Demand: String, Hashable, Sendable, CaseIterable {
        /// Everybody; the client decides.
        case allowed
        /// Nobody.
        case required
    }

    /// The certificate with its chain, a PEM file.
    public var certificate: String
    /// Its private key, a PEM file.
    public var key: String
    /// The certificates of the authority that signs the clients', a PEM file; nil takes clients without a certificate.
    public var authority: String?
    /// What NBD clients must do; the kernel's own client speaks no TLS.
    public var nbd: Demand
}

extension FleetReader {
    /// Reads `tls: {certificate, key, authority, nbd}`.
    mutating func encryption(_ value: YAMLValue?) -> EncryptionConfiguration? {
        let known = ["certificate", "key", "authority", "nbd"]
        guard let value, let keys = keys(value, of: "tls entry", known: known) else { return nil }
        let demand: EncryptionConfiguration.Demand? = word(keys["nbd"], "nbd")
        let authority = text(keys["authority"], "authority")
        guard let certificate = text(keys["certificate"], "certificate"), let key = text(keys["key"], "key") else {
            refuse("tls needs a certificate and a key, both PEM files", at: value.position)
            return nil
        }
        return EncryptionConfiguration(
            certificate: certificate,
            key: key,
            authority: authority,
            nbd: demand ?? .allowed
        )
    }
}
