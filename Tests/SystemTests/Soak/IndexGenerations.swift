import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Postgres
import TestSupport
import Testing

/// Index generations of a deployment, as its operators see them and as the stores hold them.
struct IndexGenerations: Sendable {
    let deployment: Deployment
    let admin: Member

    func find(_ number: Int) async throws -> [String: Any]? {
        let answer = try await admin.get("/admin/generations")
        return answer.items("items").first { $0["generation"] as? Int == number }
    }

    func build() async throws -> Int {
        let answer = try await admin.post("/admin/ingest", ["all": true])
        #expect(answer.status == 202, "\(answer.text)")
        return try #require(answer.json["generation"] as? Int)
    }

    /// Until it is live.
    func awaitLive(_ number: Int, within limit: Duration) async throws {
        do {
            try await eventually(within: limit) {
                // Nobody answering is one of the answers that are waited out.
                (try? await find(number))?["state"] as? String == "live"
            }
        } catch {
            print("generation: \(try await find(number) ?? [:])")
            print(try await admin.get("/admin/jobs").text.prefix(3000))
            throw error
        }
    }

    /// Postgres and the engine say the same of every generation that is not dropped. Returns the
    /// chunks of each.
    func expectAgreement() async throws -> [Int: Int] {
        let url = deployment.environment["QDRANT_URL"] ?? ""
        var chunkCounts: [Int: Int] = [:]
        for (number, collection) in try await collections() {
            let expected = try await chunkCountsByDocument(in: number)
            var stored: [String: Int] = [:]
            for document in expected.keys {
                stored[document] = try await pointCount(
                    in: collection, of: document, at: url)
            }
            #expect(stored == expected, "generation \(number)")
            let total = expected.values.reduce(0, +)
            let points = try await pointCount(in: collection, at: url)
            #expect(points == total, "generation \(number)")
            chunkCounts[number] = total
        }
        return chunkCounts
    }

    private func collections() async throws -> [(Int, String)] {
        try await deployment.database.read { session in
            try session.run(
                """
                SELECT number, collection FROM celine_assistant.generations
                WHERE state <> 'dropped' ORDER BY number
                """
            ).map {
                (try $0.get("number", as: Int.self), try $0.get("collection", as: String.self))
            }
        }
    }

    private func chunkCountsByDocument(in number: Int) async throws -> [String: Int] {
        let rows = try await deployment.database.read { session in
            try session.run(
                """
                SELECT i.document_id::text AS id, count(c.id) AS chunks
                FROM celine_assistant.indexed_documents i
                JOIN celine_assistant.chunks c ON c.revision_id = i.revision_id
                WHERE i.generation = \(number) GROUP BY i.document_id
                """
            ).map { (try $0.get("id", as: String.self), try $0.get("chunks", as: Int.self)) }
        }
        return Dictionary(rows) { $1 }
    }
}
