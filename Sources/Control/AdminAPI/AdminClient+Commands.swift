import BootModel
import Foundation
public import NodeAgent

extension AdminPath {
    /// POST of a `CommandOrder`: what comes back from its nodes, one `CommandNews` a line.
    public static let commands = "/v1/commands"
}

extension AdminClient {
    /// Gives an order to running nodes, and calls `handler` for everything that comes back.
    ///
    /// Throws `AdminClientError`, `AdminProblem` when the order is refused as a whole, and what `handler` throws.
    public func command(_ order: CommandOrder, _ handler: (CommandNews) throws -> Void) throws {
        let connection = try AdminConnection(socketPath, patience: 0)
        try connection.send("POST", AdminPath.commands, body: Array(try JSONEncoder().encode(order)))
        try refuse(connection)
        while let line = try connection.line() {
            if !line.isEmpty { try handler(decode(line)) }
        }
    }
}
