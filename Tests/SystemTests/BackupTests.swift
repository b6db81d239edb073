import Foundation
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite("Backup and restore") struct BackupTests {
    @Test(
        "with all stores wiped, every route answers as before, from sealed files under another key")
    func wiped() async throws {
        // A title may come late, between two looks.
        let before = try Self.sealedFiles().merging(["CHAT_TITLES": "false"]) { $1 }
        try await withDeployment(settings: before) { deployment, first in
            let community = try await Community(deployment, first)
            let remains = try await community.live()
            let answers = try await community.answers(about: remains)
            try await deployment.backUp(into: "cat > all.tar.zst")
            let made = try await deployment.command("restore", "--check", "all.tar.zst")
            #expect(made.contains(#""lost":{}"#), "\(made)")
            await deployment.stop(first.all)
            try await deployment.wipe()

            // Elsewhere, and sealed with another key: nothing of the old storage is needed.
            let after = try Self.sealedFiles()
            let restored = try await deployment.command("restore", "all.tar.zst", settings: after)
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
}
