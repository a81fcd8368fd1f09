public import BootModel
internal import CLinux
internal import Digests

/// A file of a stored version that is not what its manifest says.
public struct ImageFault: Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with it.
    public enum Kind: Hashable, Sendable {
        /// The file is not there.
        case missing
        /// It has another size, in bytes.
        case size(expected: Int64, found: Int64)
        /// It has another SHA-256 digest.
        case digest(expected: String, found: String)
        /// It cannot be read; `code` is the clinux_errno().
        case unreadable(code: Int32)
    }

    /// The version.
    public var version: ImageVersionID
    /// The file's path.
    public var path: String
    /// What is wrong.
    public var kind: Kind

    /// One line for a person.
    public var description: String {
        switch kind {
        case .missing: "\(version): \(path) is missing"
        case .size(let expected, let found): "\(version): \(path) has \(found) bytes, its manifest says \(expected)"
        case .digest(let expected, let found):
            "\(version): \(path) has digest \(found), its manifest says \(expected): build the image again"
        case .unreadable(let code): "\(version): cannot read \(path): \(unsafe String(cString: strerror(code)))"
        }
    }
}

extension ImageStore {
    /// Reads every file of a version and compares it with the manifest; empty when all is as it was published.
    public func check(_ id: ImageVersionID) throws(ImageStoreError) -> [ImageFault] {
        var faults: [ImageFault] = []
        for file in try manifest(of: id).allFiles {
            let path = path(of: id) + "/" + file.name
            do throws(DigestError) {
                let (digest, size) = try SHA256Digest.ofFile(path)
                if Int64(size) != file.size {
                    faults.append(.init(version: id, path: path, kind: .size(expected: file.size, found: Int64(size))))
                } else if digest.hex != file.sha256.lowercased() {
                    let kind = ImageFault.Kind.digest(expected: file.sha256, found: digest.hex)
                    faults.append(.init(version: id, path: path, kind: kind))
                }
            } catch {
                guard case .unreadable(_, let code) = error else { throw ImageStoreError(error, path: path) }
                faults.append(.init(version: id, path: path, kind: code == ENOENT ? .missing : .unreadable(code: code)))
            }
        }
        return faults
    }
}
