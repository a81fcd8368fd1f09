import BootModel
import HTTP1
import HTTPServer
import NetworkTypes

extension BootRoutes {
    /// The overlay archive of a boot, for its machine alone.
    func overlay(_ request: HTTPRequest, mac: String, boot: String) -> HTTPResponse {
        if let refused = refuse(request, unless: [.get, .head]) { return refused }
        guard let mac = MACAddress(mac), let boot = BootIdentifier(boot), case .network(let peer) = request.peer else {
            return notFound(request)
        }
        guard let archive = overlay(mac, boot, peer.address) else {
            return .text(.forbidden, "these files are not for you, or not any more: see the boot's events")
        }
        var response = HTTPResponse(.ok, fields: [HTTPField("Content-Type", "application/octet-stream")])
        // No cache on the way may keep what is secret.
        response.fields.append(HTTPField("Cache-Control", "no-store"))
        response.body = .bytes(archive)
        return response
    }
}
