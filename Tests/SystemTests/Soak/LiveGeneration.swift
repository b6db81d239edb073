import Domain
import Postgres
import TestSupport
import Testing

/// The index that a deployment answers from.
struct LiveGeneration: Sendable {
    let number: Int
    let collection: String
    let modelFingerprint: String

    var pointsPath: String { "/collections/\(collection)/points" }

    /// Nil before the first worker has made it.
    static func find(in deployment: Deployment) async throws -> LiveGeneration? {
        let rows = try await deployment.database.read { session in
            try session.run(
                """
                SELECT number, collection, description FROM celine_assistant.generations
                WHERE state = 'live'
                """)
        }
        guard let row = rows.first else { return nil }
        let index = try row.get("description", as: JSON<IndexDescription>.self).value
        return LiveGeneration(
            number: try row.get("number"), collection: try row.get("collection"),
            modelFingerprint: index.modelFingerprint)
    }

    /// Waits for it.
    static func of(_ deployment: Deployment) async throws -> LiveGeneration {
        var found: LiveGeneration?
        try await eventually {
            found = try await find(in: deployment)
            return found != nil
        }
        return try #require(found)
    }
}
