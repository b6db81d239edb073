import Database
import Domain
import ModelEndpoint
import Postgres
import Retrieval

/// Gathers what an answer is made from: attached files, sources, history.
struct AnswerMaterials: Sendable {
    struct Found: Sendable {
        var question: String
        var sources: [NumberedSource] = []
        var history: [ChatMessage] = []
        /// Of what was said before the history.
        var summary: String?
        var drawnFrom: [Message.ID] = []
        var absentAttachments: [AnswerEvent.AbsentAttachment] = []
    }

    let pool: PostgresPool
    let retrieval: Retrieval
    let rewriter: QuestionRewriter
    let generation: LiveGeneration
    let attachments: Wakeups
    let attachmentWait: Duration
    let historyCountMax: Int

    /// Files of one conversation that are searched, newest first.
    private static let attachmentCountMax = 50
    /// Replies that one reply can have drawn on, counted all the way back.
    static let drawnFromCountMax = 2000

    func gather(for answer: RunningAnswer) async throws -> Found {
        let asked = answer.question
        let isEmpty = asked.turn.text.allSatisfy(\.isWhitespace)
        var found = Found(question: isEmpty ? Question.aboutAttachments : asked.turn.text)
        let attached = try await readyAttachments(for: answer)
        found.absentAttachments = attached.filter { $0.status != .indexed }.map {
            .init(
                attachmentID: $0.id.description, filename: $0.filename,
                status: Self.words(for: $0.status))
        }
        let absent = found.absentAttachments
        try answer.log.append(
            .status(.init(stage: .retrieving, notReady: absent.isEmpty ? nil : absent)))
        let ready = attached.filter { $0.status == .indexed }.map(\.id)
        if !asked.beginsConversation { try await addHistory(to: &found, for: asked) }
        let result = try await search(
            for: asked, isEmpty: isEmpty, attached: ready, after: found.history)
        if result.isDegraded { try answer.log.append(.status(.init(stage: .degraded))) }
        found.sources = NumberedSource.list(of: result.chunks)
        return found
    }

    private func search(
        for asked: AskedQuestion, isEmpty: Bool, attached: [Attachment.ID],
        after history: [ChatMessage]
    ) async throws -> RetrievalResult {
        let nothing = RetrievalResult(chunks: [], isDegraded: false)
        guard let live = await generation.current() else { return nothing }
        if isEmpty {
            let beginnings = try await pool.read { session in
                try SourceStore(session).beginnings(
                    of: attached, in: live.number, chunkCountMax: asked.topK,
                    for: asked.principal)
            }
            return RetrievalResult(
                chunks: beginnings.map { shown in
                    RetrievedChunk(
                        chunk: shown.chunk, documentID: shown.documentID, kind: shown.kind,
                        title: shown.title, path: shown.path, url: shown.url,
                        tags: shown.tags, score: 1)
                }, isDegraded: false)
        }
        if Question.needsNoSearch(asked.turn.text) { return nothing }
        let searchable = try await rewriter.searchable(asked.turn.text, after: history)
        return try await retrieval.search(
            searchable, for: asked.principal, in: live, sources: asked.sources,
            attachments: attached.isEmpty ? nil : attached, topK: asked.topK)
    }

    /// The conversation's files, those still being indexed waited for.
    private func readyAttachments(for answer: RunningAnswer) async throws -> [Attachment] {
        let attached = try await attachments(of: answer)
        let pending = attached.filter { !$0.status.isEnd }.map(\.id.description)
        if pending.isEmpty { return attached }
        try answer.log.append(.status(.init(stage: .waitingForAttachments)))
        _ = try await attachments.wait(for: Set(pending), atMost: attachmentWait) {
            try await self.attachments(of: answer).allSatisfy(\.status.isEnd)
        }
        return try await attachments(of: answer)
    }

    private func attachments(of answer: RunningAnswer) async throws -> [Attachment] {
        let asked = answer.question
        if asked.beginsConversation && asked.turn.attachments.isEmpty { return [] }
        return try await pool.read { session in
            let named = try ConversationStore(session).attachmentIDs(of: asked.turn.conversation)
            return try AttachmentStore(session).find(
                Array(named.suffix(Self.attachmentCountMax)), for: asked.principal)
        }
    }

    private func addHistory(to found: inout Found, for asked: AskedQuestion) async throws {
        let (choice, summary, drawnFrom) = try await pool.read { session in
            let store = MessageStore(session)
            guard let question = try store.find(asked.turn.question, for: asked.principal) else {
                return (History.Choice(), ConversationSummary?.none, [Message.ID]())
            }
            let earlier = try store.list(
                in: asked.turn.conversation, before: question.sequence,
                limit: historyCountMax * 2 + 2)
            let replies = earlier.filter { $0.role == .assistant }.map(\.id)
            let choice = History.choice(
                of: earlier, tainted: try store.tainted(among: replies, for: asked.principal),
                countMax: historyCountMax)
            let summary = try SummaryStore(session).find(
                of: asked.turn.conversation, for: asked.principal)
            // So long that what it draws on cannot be kept: it begins anew.
            guard
                let drawnFrom = try store.drawnFrom(
                    choice.replies, countMax: Self.drawnFromCountMax)
            else { return (History.Choice(), nil, []) }
            return (choice, summary, drawnFrom)
        }
        found.history = choice.messages
        found.summary = summary?.text
        found.drawnFrom = Array(Set(drawnFrom + (summary?.drawnFrom ?? [])))
    }

    private static func words(for status: Attachment.Status) -> String {
        switch status {
        case .queued, .processing: "still being read"
        case .stored: "no text in it"
        case .failed: "could not be read"
        case .indexed: "ready"
        }
    }
}
