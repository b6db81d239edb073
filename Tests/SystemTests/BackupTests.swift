import Foundation
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite("Backup and restore") struct BackupTests {
    @Test(
        "with all stores wiped, every route answers as before, from sealed files under another key")
    func wiped() async throws {
        let before = try Self.sealedFiles()
        try await withDeployment(settings: before) { deployment, first in
            let community = try await Community(deployment, first)
            let remains = try await community.live()
            let answers = try await community.answers(about: remains)
            try deployment.backUpThroughPipe(to: "all.tar.zst")
            let made = try deployment.command("restore", "--check", "all.tar.zst")
            #expect(made.contains(#""lost":{}"#), "\(made)")
            await deployment.stop(first.all)
            try await wipe(deployment)

            // Elsewhere, and sealed with another key: nothing of the old storage is needed.
            let after = try Self.sealedFiles()
            let restored = try deployment.command("restore", "all.tar.zst", settings: after)
            #expect(restored.contains(#""points":"#), "\(restored)")
            let second = try await deployment.startReplica(settings: after)
            let risen = try await Community(deployment, second)
            let again = try await risen.answers(about: remains)
            #expect(again.keys.sorted() == answers.keys.sorted())
            for (route, answer) in answers { #expect(again[route] == answer, "\(route)") }
            try await risen.goOn(from: remains)
            await deployment.stop(second.all)
        }
    }

    /// A place and a key of their own in the test server.
    private static func sealedFiles() throws -> [String: String] {
        let bucket = try environment("TEST_S3_BUCKET")
        let key = Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
        return [
            "UPLOADS_URI": "s3://\(bucket)/backup-\(UUID().uuidString.lowercased())",
            "S3_ENDPOINT_URL": try environment("TEST_S3_URL"),
            "S3_ACCESS_KEY_ID": try environment("TEST_S3_ACCESS_KEY_ID"),
            "S3_SECRET_ACCESS_KEY": try environment("TEST_S3_SECRET_ACCESS_KEY"),
            "UPLOADS_ENCRYPTION_KEY": key,
        ]
    }

    /// The files stay behind in a place that nobody names any more.
    private func wipe(_ deployment: Deployment) async throws {
        let collections = try await deployment.database.read { session in
            let collections = try session.run(
                "SELECT collection FROM celine_assistant.generations WHERE state <> 'dropped'"
            ).map { try $0.get("collection", as: String.self) }
            try session.run(script: "DROP SCHEMA celine_assistant CASCADE")
            return collections
        }
        for collection in collections {
            try await callEngine(.DELETE, "/collections/\(collection)")
        }
        try FileManager.default.removeItem(atPath: "\(deployment.folder)/clone")
    }
}
