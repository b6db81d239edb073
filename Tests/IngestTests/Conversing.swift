import Database
import Domain
import Foundation
import Postgres

@testable import Ingest

extension IngestWorld {
    /// A conversation of one turn, as chat would have left it.
    func converse(
        _ question: String, _ answer: String, by user: User.ID, about files: [Attachment.ID] = []
    ) async throws -> Conversation.ID {
        let principal = Principal(user: user)
        let turn = MessageStore.Turn(
            conversation: Conversation.ID(), question: Message.ID(), reply: Message.ID(),
            text: question, attachments: files, showsSources: true)
        try await ingest.pool.transaction { transaction in
            try ConversationStore(transaction).insert(
                turn.conversation, title: "About: \(question)", for: principal)
            let store = MessageStore(transaction)
            try store.begin(turn, replica: "test", leaseSeconds: 60, for: principal)
            var sources: [FinishedReply.Source] = []
            for row in try transaction.run(
                """
                SELECT id, document_id FROM chunks
                WHERE document_id = ANY(\(files.map(\.rawValue))::uuid[])
                """)
            {
                sources.append(
                    .init(
                        chunk: try row.get("id"), document: try row.get("document_id"), score: 1))
            }
            _ = try store.finish(
                turn.reply,
                as: FinishedReply(
                    content: answer, status: .complete, finishReason: .stop,
                    promptTokenCount: 40, completionTokenCount: 3, sources: sources,
                    citations: sources.indices.prefix(1).map {
                        .init(
                            marker: "[1]", sourceIndex: $0, sentence: "", quote: 0..<3,
                            isVerified: true)
                    }), replica: "test", in: transaction)
        }
        return turn.conversation
    }

    /// The tables in which a text stands anywhere, in any case.
    func tables(with text: String) async throws -> [String] {
        try await ingest.pool.read { session in
            let tables = try session.run(
                """
                SELECT table_name::text AS name FROM information_schema.tables
                WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
                ORDER BY table_name
                """
            ).map { try $0.get("name", as: String.self) }
            return try tables.filter { table in
                let name = SQL(stringLiteral: "\"\(table)\"")
                return try !session.run(
                    """
                    SELECT 1 AS found FROM \(sql: name) t
                    WHERE position(lower(\(text)) IN lower(t::text)) > 0 LIMIT 1
                    """
                ).isEmpty
            }
        }
    }
}
