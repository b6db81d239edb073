package import FoundationEssentials

/// The id of a point in the vector engine. Ours are chunks' ids; others may have written numbers.
///
/// In the engine's order: numbers first, then UUIDs by their bytes, as Postgres orders them.
package enum PointID: Hashable, Sendable, Comparable {
    case number(UInt64)
    case uuid(UUID)

    package init(_ chunk: Chunk.ID) { self = .uuid(chunk.rawValue) }

    /// Nil for a number: no chunk has it.
    package var uuid: UUID? {
        if case .uuid(let id) = self { id } else { nil }
    }
}

extension PointID: Codable, CustomStringConvertible {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            self = .number(try container.decode(UInt64.self))
        } catch {
            let text = try container.decode(String.self)
            guard let uuid = UUID(uuidString: text) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "neither a number nor a UUID")
            }
            self = .uuid(uuid)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .uuid(let uuid): try container.encode(uuid.uuidString.lowercased())
        }
    }

    package var description: String {
        switch self {
        case .number(let number): String(number)
        case .uuid(let uuid): uuid.uuidString.lowercased()
        }
    }
}
