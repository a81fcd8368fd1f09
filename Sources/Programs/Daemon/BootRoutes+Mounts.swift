import BootModel
import HTTP1
import HTTPServer
import NetworkTypes

extension BootRoutes {
    /// What a boot mounts over its root, one line each: told to that boot alone.
    func mounts(_ request: HTTPRequest, mac: String, boot: String) -> HTTPResponse {
        guard request.method == .get || request.method == .head else {
            var response = HTTPResponse.text(.methodNotAllowed, "use GET, HEAD")
            response.fields.append(HTTPField("Allow", "GET, HEAD"))
            return response
        }
        guard let mac = MACAddress(mac), let id = BootIdentifier(boot), case .network(let peer) = request.peer,
            let grants = boots.grants.all.first(where: { $0.boot == id && $0.mac == mac }),
            grants.address ?? peer.address == peer.address
        else { return .text(.forbidden, "this boot is not under way") }
        return .text(.ok, grants.mounts.map { $0 + "\n" }.joined())
    }
}
