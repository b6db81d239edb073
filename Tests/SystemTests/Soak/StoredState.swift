import Crypto
import Domain
import Foundation
import Postgres
import TestSupport
import Testing

/// Whether Postgres, the engine and the files say the same.
struct StoredState: Sendable {
    struct Attachment: Sendable {
        let id: String
        let status: String
        let failure: String?
        let storageKey: String
        let sha256: [UInt8]
        let chunkCount: Int
        let chunkRowCount: Int
        let isShown: Bool
    }

    let attachments: [Attachment]
    let chunkRowCount: Int
    let tombstoneCount: Int

    init(in deployment: Deployment) async throws {
        attachments = try await deployment.database.read { session in
            try session.run(
                """
                SELECT a.id::text AS id, a.status, a.error_code, a.storage_key, a.sha256,
                    a.chunk_count::bigint AS chunk_count,
                    (SELECT count(*) FROM celine_assistant.chunks c WHERE c.document_id = a.id)
                        AS chunk_rows,
                    EXISTS (SELECT FROM celine_assistant.indexed_documents i
                            WHERE i.document_id = a.id) AS shown
                FROM celine_assistant.attachments a
                """
            ).map { row in
                Attachment(
                    id: try row.get("id"), status: try row.get("status"),
                    failure: try row.find("error_code"), storageKey: try row.get("storage_key"),
                    sha256: try row.get("sha256"), chunkCount: try row.get("chunk_count"),
                    chunkRowCount: try row.get("chunk_rows"), isShown: try row.get("shown"))
            }
        }
        (chunkRowCount, tombstoneCount) = try await deployment.database.read { session in
            let row = try session.run(
                """
                SELECT (SELECT count(*) FROM celine_assistant.chunks) AS chunks,
                    (SELECT count(*) FROM celine_assistant.documents
                     WHERE deleted_at IS NOT NULL) AS tombstones
                """
            ).first
            return (
                try row?.get("chunks", as: Int.self) ?? -1,
                try row?.get("tombstones", as: Int.self) ?? -1
            )
        }
    }

    /// - Returns: files that belong to no row.
    func expectAgreement(in deployment: Deployment) async throws -> Int {
        #expect(tombstoneCount == 0)
        #expect(try await recognisedPages(in: deployment) == 0)
        #expect(try await points(in: deployment) == chunkRowCount)
        for attachment in attachments {
            #expect(attachment.status == "indexed", "\(attachment)")
            #expect(attachment.isShown, "\(attachment)")
            #expect(attachment.chunkRowCount == attachment.chunkCount, "\(attachment)")
            #expect(
                try await points(of: attachment.id, in: deployment) == attachment.chunkCount,
                "\(attachment)")
            let file = "\(deployment.folder)/uploads/\(attachment.storageKey)"
            let bytes = try Data(contentsOf: URL(filePath: file))
            #expect(Array(SHA256.hash(data: bytes)) == attachment.sha256, "\(attachment)")
        }
        let keys = Set(attachments.map(\.storageKey))
        return try files(in: deployment).count { !keys.contains($0) }
    }

    private func files(in deployment: Deployment) throws -> [String] {
        let root = URL(filePath: deployment.folder).appending(path: "uploads")
        return try FileManager.default.subpathsOfDirectory(atPath: root.path).filter { path in
            let file = root.appending(path: path)
            let isFile = try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile
            return isFile == true && !path.hasPrefix(".")
        }
    }
}
