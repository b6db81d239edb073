package import Domain
package import Postgres

/// A reply as it is kept: its text, and references to what it drew on.
package struct FinishedReply: Sendable {
    /// A source that stood in the prompt, in the prompt's order.
    package struct Source: Sendable {
        package let chunk: Chunk.ID
        /// More than 1 for neighbours that were joined, of which this is the first.
        package let chunkCount: Int
        package let document: Document.ID
        package let score: Double

        package init(
            chunk: Chunk.ID, chunkCount: Int = 1, document: Document.ID, score: Double
        ) {
            self.chunk = chunk
            self.chunkCount = chunkCount
            self.document = document
            self.score = score
        }
    }

    /// A marker in the text. The quote is a span of the chunk's text, in Unicode scalars.
    package struct Citation: Sendable, Hashable {
        package let marker: String
        package let sourceIndex: Int
        /// Of the answer: what the marker stands for.
        package let sentence: String
        package let quote: Range<Int>?
        package let isVerified: Bool

        package init(
            marker: String, sourceIndex: Int, sentence: String, quote: Range<Int>?, isVerified: Bool
        ) {
            self.marker = marker
            self.sourceIndex = sourceIndex
            self.sentence = sentence
            self.quote = quote
            self.isVerified = isVerified
        }
    }

    package var content: String
    package var status: Message.Status
    package var finishReason: Message.FinishReason
    package var promptTokenCount: Int?
    package var completionTokenCount: Int?
    /// What it took, as the endpoint counted it, or else about.
    package var usage: (promptTokens: Int, completionTokens: Int)
    package var sources: [Source]
    package var citations: [Citation]
    /// The earlier replies that stood in its prompt.
    package var drawnFrom: [Message.ID]

    package init(
        content: String, status: Message.Status, finishReason: Message.FinishReason,
        promptTokenCount: Int? = nil, completionTokenCount: Int? = nil,
        usage: (promptTokens: Int, completionTokens: Int) = (0, 0), sources: [Source] = [],
        citations: [Citation] = [], drawnFrom: [Message.ID] = []
    ) {
        self.content = content
        self.status = status
        self.finishReason = finishReason
        self.promptTokenCount = promptTokenCount
        self.completionTokenCount = completionTokenCount
        self.usage = usage
        self.sources = sources
        self.citations = citations
        self.drawnFrom = drawnFrom
    }
}

extension MessageStore {
    /// Keeps a reply. False when it is no longer being made: deleted, or given up as abandoned.
    package func finish(
        _ reply: Message.ID, as finished: FinishedReply, replica: String,
        in transaction: Transaction
    ) throws(PostgresError) -> Bool {
        // The whole row, which waits for who is just adding to its stream.
        try transaction.run(
            "SELECT FROM messages WHERE tenant_id = \(Tenant.only) AND id = \(reply) FOR UPDATE")
        let rows = try transaction.run(
            """
            UPDATE messages SET content = \(finished.content), status = \(finished.status),
                   finish_reason = \(finished.finishReason), lease_expires_at = NULL,
                   prompt_token_count = \(finished.promptTokenCount),
                   completion_token_count = \(finished.completionTokenCount),
                   drawn_from = \(finished.drawnFrom.map(\.rawValue))
            WHERE tenant_id = \(Tenant.only) AND id = \(reply) AND replica = \(replica)
              AND status = 'generating'
            RETURNING conversation_id
            """)
        guard let row = rows.first else { return false }
        let conversation: Conversation.ID = try row.get("conversation_id")
        try insertSources(finished.sources, of: reply, in: transaction)
        try insertCitations(finished.citations, of: reply, in: transaction)
        try count(
            promptTokens: finished.usage.promptTokens,
            completionTokens: finished.usage.completionTokens, in: conversation)
        if finished.status == .complete { try removeReplaced(by: reply, in: conversation) }
        try transaction.run(
            """
            UPDATE conversations SET last_message_at = now()
            WHERE tenant_id = \(Tenant.only) AND id = \(conversation)
            """)
        try transaction.notify(Self.turnsChannel, conversation.description)
        return true
    }

    /// Most were remembered while the reply was being made.
    private func insertSources(
        _ sources: [FinishedReply.Source], of reply: Message.ID, in transaction: Transaction
    ) throws(PostgresError) {
        for (index, source) in sources.enumerated() {
            try transaction.run(
                """
                INSERT INTO message_sources (tenant_id, message_id, source_index, chunk_id,
                                             chunk_count, document_id, score)
                VALUES (\(Tenant.only), \(reply), \(index), \(source.chunk),
                        \(source.chunkCount), \(source.document), \(source.score))
                ON CONFLICT DO NOTHING
                """)
        }
    }

    private func insertCitations(
        _ citations: [FinishedReply.Citation], of reply: Message.ID, in transaction: Transaction
    ) throws(PostgresError) {
        for (ordinal, citation) in citations.enumerated() {
            try transaction.run(
                """
                INSERT INTO message_citations (tenant_id, message_id, ordinal, marker,
                                               source_index, sentence, quote_start, quote_end,
                                               verified)
                VALUES (\(Tenant.only), \(reply), \(ordinal), \(citation.marker),
                        \(citation.sourceIndex), \(citation.sentence),
                        \(citation.quote?.lowerBound),
                        \(citation.quote?.upperBound), \(citation.isVerified))
                """)
        }
    }
}
