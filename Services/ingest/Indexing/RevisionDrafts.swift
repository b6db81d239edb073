import Database
import Domain
import JobQueue
import Postgres
import TextAnalysis

/// Makes the text and the chunks of a document: extracted, cut, and proved to fit the model.
struct RevisionDrafts: Sendable {
    let pool: PostgresPool
    let extractor: Extractor
    /// Nil where no model can see.
    let captions: PictureCaptions?
    let embedder: Embedder

    struct Draft: Sendable {
        let revision: NewRevision
        let chunks: [NewChunk]
    }

    /// A piece is halved at most so often: from a window of 512 down to single words.
    private static let splitCountMax = 9

    func make(
        _ document: IndexableDocument, cut version: String, index: IndexDescription,
        for job: ClaimedJob, _ progress: IndexingProgress
    ) async throws -> Draft {
        let pages = KeptPages(document: document, job: job, pool: pool)
        var extracted = try await extractor.extract(document, pages: pages, progress)
        if document.format == .image, let caption = try await captions?.caption(of: document, job) {
            extracted.append(TextBlock(.paragraph, caption, page: 1))
        }
        let window = Chunking.windowTokenCount(of: version) ?? Chunking.defaultWindow
        let chunker = Chunker(windowTokenCount: window) { Analyser.sentences(in: $0) }
        var drafts = chunker.pieces(of: extracted).map { ChunkDraft($0, of: extracted.text) }
        for _ in 0..<Self.splitCountMax {
            let texts = drafts.map { Embedder.Text(hash: $0.textHash, text: $0.embeddedText) }
            let tooLong = try await embedder.embed(
                texts, owner: document.owner, index: index, progress)
            if tooLong.isEmpty { break }
            drafts = drafts.flatMap { draft in
                guard tooLong.contains(draft.textHash) else { return [draft] }
                return chunker.split(draft.piece, of: extracted.text)
                    .map { ChunkDraft($0, of: extracted.text) }
            }
        }
        let revision = NewRevision(
            documentID: document.id, contentHash: document.contentHash, chunkingVersion: version,
            text: extracted.text)
        return Draft(
            revision: revision,
            chunks: ChunkDraft.chunks(
                of: drafts, in: extracted, revision: revision.id, language: document.language))
    }
}
