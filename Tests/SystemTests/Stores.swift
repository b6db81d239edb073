import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Postgres
import TestSupport
import Testing

/// What the stores hold, looked up behind the processes' backs.
func embeddingCount(in deployment: Deployment) async throws -> Int {
    try await count("SELECT count(*) AS n FROM celine_assistant.embeddings", in: deployment)
}

func unfinishedJobs(in deployment: Deployment) async throws -> Int {
    try await count(
        "SELECT count(*) AS n FROM celine_assistant.jobs WHERE state IN ('ready', 'running', 'dead')",
        in: deployment)
}

/// What recognition kept for documents that are not indexed yet.
func recognisedPages(in deployment: Deployment) async throws -> Int {
    try await count("SELECT count(*) AS n FROM celine_assistant.recognised_pages", in: deployment)
}

/// Those that were given up.
func deadJobs(in deployment: Deployment) async throws -> Int {
    try await count(
        "SELECT count(*) AS n FROM celine_assistant.jobs WHERE state = 'dead'", in: deployment)
}

/// Points of one document in the live collection, or of all of them, counted by the engine.
func points(of document: String? = nil, in deployment: Deployment) async throws -> Int {
    let url = deployment.environment["QDRANT_URL"] ?? ""
    let names = try await deployment.database.read { session in
        try session.run("SELECT collection FROM celine_assistant.generations WHERE state = 'live'")
            .map { try $0.get("collection", as: String.self) }
    }
    var total = 0
    for name in names { total += try await pointCount(in: name, of: document, at: url) }
    return total
}

/// Points of a collection, of one document or of all; a thousand below none if nobody can say.
func pointCount(
    in collection: String, of document: String? = nil, at url: String
) async throws -> Int {
    var request = HTTPClientRequest(url: "\(url)/collections/\(collection)/points/count")
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    let conditions = document.map { [["key": "document_id", "match": ["value": $0]]] } ?? []
    let filter: [String: Any] = ["exact": true, "filter": ["must": conditions]]
    request.body = .bytes(ByteBuffer(data: try JSONSerialization.data(withJSONObject: filter)))
    let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    let body = try await answer.body.collect(upTo: 1 << 20)
    let json = try JSONSerialization.jsonObject(with: Data(buffer: body)) as? [String: Any]
    return (json?["result"] as? [String: Any])?["count"] as? Int ?? -1_000
}

/// The document that a page of the training materials is now.
func document(ofPage path: String, in deployment: Deployment) async throws -> String {
    let ids = try await deployment.database.read { session in
        try session.run(
            "SELECT document_id::text AS id FROM celine_assistant.training_pages WHERE path = \(path)"
        ).map { try $0.get("id", as: String.self) }
    }
    return try #require(ids.first, "no page \(path)")
}

/// Rows that belong to a document, tombstones included, by table; tables without any are left out.
func rows(of document: String, in deployment: Deployment) async throws -> [String: Int] {
    let keys: [(table: SQL, key: SQL)] = [
        ("documents", "id"), ("attachments", "id"), ("training_pages", "document_id"),
        ("indexed_documents", "document_id"), ("revisions", "document_id"),
        ("chunks", "document_id"),
    ]
    return try await deployment.database.read { session in
        var counts: [String: Int] = [:]
        for (table, key) in keys {
            let found = try session.run(
                """
                SELECT count(*) AS n FROM celine_assistant.\(sql: table)
                WHERE \(sql: key)::text = \(document)
                """)
            let count = try found.first?.get("n", as: Int.self) ?? 0
            if count > 0 { counts[table.text] = count }
        }
        return counts
    }
}

/// Ends every session of the deployment's database but our own, as a restart of the server does.
func cutConnections(of deployment: Deployment) async throws {
    _ = try await count(
        """
        SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
        """, in: deployment)
}

private func count(_ sql: SQL, in deployment: Deployment) async throws -> Int {
    try await deployment.database.read { try $0.run(sql).first?.get("n", as: Int.self) ?? 0 }
}

extension Deployment {
    /// Rows, collections and folders are gone, as after a fire; what is in S3 stays behind.
    func wipe() async throws {
        let collections = try await database.read { session in
            let collections = try session.run(
                "SELECT collection FROM celine_assistant.generations WHERE state <> 'dropped'"
            ).map { try $0.get("collection", as: String.self) }
            try session.run(script: "DROP SCHEMA celine_assistant CASCADE")
            return collections
        }
        for collection in collections {
            try await callEngine(
                .DELETE, "/collections/\(collection)", at: environment["QDRANT_URL"])
        }
        for name in ["clone", "uploads"] {
            let path = "\(folder)/\(name)"
            guard FileManager.default.fileExists(atPath: path) else { continue }
            try FileManager.default.removeItem(atPath: path)
        }
    }
}
