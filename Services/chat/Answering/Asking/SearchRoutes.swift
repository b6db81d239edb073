import Database
import Domain
import HTTPService
import HTTPTypes
import Hummingbird
import Postgres
import Retrieval

/// Retrieval alone, and the text around what it found.
struct SearchRoutes: Sendable {
    let pool: PostgresPool
    let retrieval: Retrieval
    let generation: LiveGeneration

    /// Chunks shown before and after a source.
    private static let neighbourCount = 1

    func add(to router: some RouterMethods<ServiceContext>) {
        router.post("search", use: search)
        router.get("sources/:chunk_id", use: source)
    }

    private struct Results: Encodable {
        let results: [SourceAnswer]
        let degraded: Bool
    }

    private func search(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let body = try await decodeJSON(
            SearchRequest.self, from: request, byteCountMax: RequestLimits.bodyByteCountMax)
        try RequestLimits.requireLength(of: body.query, "/query")
        let sources = try RequestLimits.sources(body.sources)
        let named = try RequestLimits.attachments(body.attachmentIDs)
        let visible = try await pool.read { session in
            try AttachmentStore(session).find(named, for: context.principal)
        }
        guard visible.count == named.count else { throw Problem.attachmentNotFound }
        guard !body.query.allSatisfy(\.isWhitespace), let live = await generation.current() else {
            return try JSONResponse.make(.ok, Results(results: [], degraded: false))
        }
        let found = try await retrieval.search(
            body.query, for: context.principal, in: live, sources: sources,
            attachments: named.isEmpty ? nil : named, topK: RequestLimits.topK(body.topK))
        let results = NumberedSource.list(of: found.chunks).map { SourceAnswer($0) }
        return try JSONResponse.make(.ok, Results(results: results, degraded: found.isDegraded))
    }

    private struct SourceText: Encodable {
        let source: SourceAnswer
        let before: String
        let after: String
        let headingPath: [String]

        private enum CodingKeys: String, CodingKey {
            case before, after
            case headingPath = "heading_path"
        }

        func encode(to encoder: any Encoder) throws {
            try source.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(before, forKey: .before)
            try container.encode(after, forKey: .after)
            try container.encode(headingPath, forKey: .headingPath)
        }
    }

    private func source(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let id = try context.parameters.id(
            "chunk_id", as: Chunk.ID.self, orThrow: .sourceNotFound)
        let chunks = try await pool.read { session in
            try SourceStore(session).around(
                id, chunkCount: Self.neighbourCount, for: context.principal)
        }
        guard let place = chunks.firstIndex(where: { $0.chunk.id == id }) else {
            throw Problem.sourceNotFound
        }
        let found = chunks[place]
        return try JSONResponse.make(
            .ok,
            SourceText(
                source: SourceAnswer(NumberedSource(found, score: 1)),
                before: chunks[..<place].map(\.chunk.text).joined(separator: "\n\n"),
                after: chunks[(place + 1)...].map(\.chunk.text).joined(separator: "\n\n"),
                headingPath: found.chunk.headingPath))
    }
}
