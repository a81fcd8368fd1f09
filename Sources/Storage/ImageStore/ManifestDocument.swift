internal import BootModel
internal import FoundationEssentials

/// `manifest.json` as bytes: JSON with sorted keys, so that equal manifests are equal files.
enum ManifestDocument {
    /// The only part of the document that every layout has.
    private struct Header: Decodable {
        var schema: Int
    }

    static func encode(_ manifest: ImageManifest) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return Array(try encoder.encode(manifest)) + [UInt8(ascii: "\n")]
    }

    /// Decodes the bytes of `path`; a newer layout and a broken document each get their own error.
    static func decode(_ bytes: [UInt8], path: String) throws(ImageStoreError) -> ImageManifest {
        let data = Data(bytes)
        do {
            let header = try JSONDecoder().decode(Header.self, from: data)
            guard (1...ImageManifest.currentSchema).contains(header.schema) else {
                throw ImageStoreError.newerSchema(path: path, schema: header.schema)
            }
            let manifest = try JSONDecoder().decode(ImageManifest.self, from: data)
            for file in manifest.allFiles where file.name.contains("/") || file.name.hasPrefix(".") || file.name.isEmpty
            {
                throw ImageStoreError.badManifest(path: path, reason: "\"\(file.name)\" is not a file name")
            }
            return manifest
        } catch let error as ImageStoreError {
            throw error
        } catch let error as DecodingError {
            throw .badManifest(path: path, reason: Self.reason(of: error))
        } catch {
            throw .badManifest(path: path, reason: "\(error)")
        }
    }

    private static func reason(of error: DecodingError) -> String {
        func at(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "" : " at " + path.map(\.stringValue).joined(separator: ".")
        }
        return switch error {
        case .keyNotFound(let key, let context): "\"\(key.stringValue)\" is missing\(at(context.codingPath))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.debugDescription + at(context.codingPath)
        @unknown default: "\(error)"
        }
    }
}
