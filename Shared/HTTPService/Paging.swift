package import Domain
import FoundationEssentials
package import Hummingbird

/// Which part of a list is asked for. Numbers are clamped, not refused.
package struct Paging: Sendable, Hashable {
    package let limit: Int
    package let offset: Int
    /// What `Cursor.encode` gave to the last page, still encoded.
    package let cursor: String?

    package init(_ request: Request, default fallback: Int, max most: Int) throws {
        limit = min(max(1, try request.count("limit") ?? fallback), most)
        offset = max(0, try request.count("offset") ?? 0)
        cursor = request.uri.queryParameters["cursor"].map { String($0) }
            .flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// A place in a list as clients carry it: opaque, and safe in an address.
package enum Cursor {
    private static let byteCountMax = 512

    package static func encode(_ place: String) -> String {
        Data(place.utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Nil when it is not one of ours.
    package static func decode(_ text: String) -> String? {
        guard text.utf8.count <= byteCountMax else { return nil }
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        let base64 = text.replacing("-", with: "+").replacing("_", with: "/") + padding
        return Data(base64Encoded: base64).flatMap { String(validating: $0, as: UTF8.self) }
    }
}

extension Request {
    /// A number of the query, nil when absent. One too long for a machine word is its clamp.
    package func count(_ name: String) throws -> Int? {
        guard let text = uri.queryParameters[name[...]], !text.isEmpty else { return nil }
        if let value = Int(text) { return value }
        let isNegative = text.hasPrefix("-")
        let digits = isNegative || text.hasPrefix("+") ? text.dropFirst() : text
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Problem.invalid("/\(name)", "`\(name)` must be a whole number.")
        }
        return isNegative ? Int.min : Int.max
    }

    /// A yes or no of the query; no when absent.
    package func flag(_ name: String) throws -> Bool {
        switch uri.queryParameters[name[...]]?.lowercased() {
        case nil, "", "false", "0", "no": return false
        case "true", "1", "yes": return true
        default: throw Problem.invalid("/\(name)", "`\(name)` must be true or false.")
        }
    }
}

extension Parameters {
    /// An id of the path. A malformed one is as unknown as any other.
    package func id<Noun>(
        _ name: String, as type: Identifier<Noun>.Type, orThrow problem: Problem = .notFound
    ) throws -> Identifier<Noun> {
        guard let id = get(name).flatMap({ Identifier<Noun>($0) }) else { throw problem }
        return id
    }
}
