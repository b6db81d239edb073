import AsyncHTTPClient
import Database
import Domain
import Foundation
import Logging
import ModelEndpoint
import OutboundHTTP
import Postgres
import Qdrant
import Retrieval
import TestSupport
import TextAnalysis

/// Documents indexed as the workers do it: in a database and a collection of their own, embedded
/// by the real model.
struct Library: Sendable {
    static let alice = Principal(user: User.ID(rawValue: "alice"))
    static let bob = Principal(user: User.ID(rawValue: "bob"))

    let pool: PostgresPool
    let client: HTTPClient
    let generation: Generation
    private let stack: Stack

    private struct Stack {
        let qdrant: String
        let questions: String
        let passages: String

        init() throws {
            qdrant = try environment("TEST_QDRANT_URL")
            questions = try environment("TEST_EMBED_QUESTION_URL")
            passages = try environment("TEST_EMBED_PASSAGE_URL")
        }
    }

    /// A piece of a document: its heading, its text and its language.
    struct Section {
        let heading: String
        let text: String
        let language: Language
    }

    static func run<Result: Sendable>(
        _ body: @Sendable (Library) async throws -> Result
    ) async throws -> Result {
        try await withDatabase { pool in
            let index = IndexDescription(
                passageModel: "e5-passage", questionModel: "e5-query", dimensionCount: 384,
                chunkingVersion: Chunking.version(windowTokenCount: 512),
                analysisVersion: Analyser.version)
            let base = "test_\(UUID().uuidString)"
            let generation = try await pool.transaction { transaction in
                try GenerationStore(transaction).ensureLive(index, collectionBase: base)
            }
            let stack = try Stack()
            let client = OutboundHTTP.makeClient()
            let library = Library(
                pool: pool, client: client, generation: generation, stack: stack)
            let qdrant = library.qdrant()
            do {
                try await qdrant.ensureCollection(generation.collection, dimensionCount: 384)
                let result = try await body(library)
                try await qdrant.deleteCollection(generation.collection)
                try await client.shutdown()
                return result
            } catch {
                try await qdrant.deleteCollection(generation.collection)
                try await client.shutdown()
                throw error
            }
        }
    }

    /// Nobody listens there.
    static let away = "http://127.0.0.1:1"

    func qdrant(at url: String? = nil) -> Qdrant {
        Qdrant(http: http("qdrant"), url: url ?? stack.qdrant, apiKey: nil)
    }

    func http(_ peer: String) -> OutboundHTTP {
        OutboundHTTP(client: client, peer: peer, logger: .test)
    }

    func models(questions url: String? = nil) -> ModelEndpoint {
        func address(_ url: String) -> ModelEndpoint.Address {
            ModelEndpoint.Address(http: http("model"), baseURL: url, apiKey: nil)
        }
        return ModelEndpoint(
            chat: address(Self.away), passages: address(stack.passages),
            questions: address(url ?? stack.questions), batchSize: 2)
    }

    func retrieval(
        qdrant: String? = nil, questions: String? = nil, reranker: String? = nil
    ) -> Retrieval {
        Retrieval(
            qdrant: self.qdrant(at: qdrant), models: models(questions: questions), pool: pool,
            reranker: reranker.map {
                Reranker(http: http("reranker"), url: $0, apiKey: nil, model: "judge")
            }, logger: .test)
    }

    func search(
        _ question: String, as principal: Principal = alice,
        sources: Set<SourceKind> = Set(SourceKind.allCases), attachments: [Attachment.ID]? = nil,
        topK: Int = 5
    ) async throws -> RetrievalResult {
        try await retrieval().search(
            question, for: principal, in: generation, sources: sources, attachments: attachments,
            topK: topK)
    }

    /// A document of these sections, searchable when this returns.
    @discardableResult
    func add(
        _ title: String, owner: Owner = .shared, kind: Document.Kind = .training,
        replacing id: Document.ID? = nil, _ sections: [Section]
    ) async throws -> Document.ID {
        let documentID = id ?? Document.ID()
        let text = sections.map(\.text).joined(separator: "\n")
        let revision = NewRevision(
            documentID: documentID, contentHash: Array(text.utf8),
            chunkingVersion: generation.index.chunkingVersion, text: text)
        let chunks = sections.enumerated().map { ordinal, section in
            Chunk(
                revision: revision.id, ordinal: ordinal, text: section.text, page: nil,
                span: ordinal..<(ordinal + 1), headingPath: [title, section.heading],
                language: section.language)
        }
        let vectors = try await SampleVectors.shared.vectors(
            of: chunks.map(\.embeddedText), by: models())
        let isNew = id == nil
        try await pool.transaction { transaction in
            if isNew {
                try DocumentStore(transaction).insert(
                    documentID, kind: kind, owner: owner, title: title)
            }
            try RevisionStore(transaction).insert(
                revision,
                chunks: chunks.map { chunk in
                    let terms = Analyser.terms(of: chunk.embeddedText, language: chunk.language)
                    return NewChunk(
                        chunk: chunk, textHash: Array(chunk.text.utf8.prefix(32)),
                        searchText: terms.joined(separator: " "))
                })
            try IndexedDocumentStore(transaction).set(
                documentID, in: generation.number, to: revision.id)
        }
        let points = zip(chunks, vectors).map { chunk, vector in
            Point(
                chunkID: chunk.id, dense: vector,
                sparse: Analyser.sparse(document: chunk.embeddedText, language: chunk.language),
                payload: PointPayload(
                    documentID: documentID, revisionID: revision.id, owner: owner, kind: kind,
                    language: chunk.language))
        }
        try await qdrant().upsert(points, into: generation.collection)
        return documentID
    }
}

/// The model takes a third of a second for each text, and the tests share theirs.
private actor SampleVectors {
    static let shared = SampleVectors()
    private var known: [String: [Float]] = [:]

    func vectors(of texts: [String], by models: ModelEndpoint) async throws -> [[Float]] {
        let missing = texts.filter { known[$0] == nil }
        let found = try await models.embed(missing, as: .passage, model: "e5-passage")
        for (text, vector) in zip(missing, found.vectors) { known[text] = vector }
        return texts.compactMap { known[$0] }
    }
}

extension Library {
    /// Four short pages in two languages.
    func addPages() async throws {
        try await add(
            "Home and community batteries",
            [
                Section(
                    heading: "The community battery",
                    text: """
                        The community battery stands beside the sports hall. It stores 480 kWh and \
                        can deliver 250 kW.
                        """, language: .english),
                Section(
                    heading: "Safety",
                    text: """
                        Do not install a battery in a bedroom or in an escape route. Keep 50 cm of \
                        free space around it.
                        """, language: .english),
            ])
        try await add(
            "Statuto, assemblea e voto",
            [
                Section(
                    heading: "L'assemblea",
                    text: """
                        Ogni membro ha un voto, qualunque sia la sua quota. Si può votare per \
                        delega: ciascuno può portare al massimo due deleghe.
                        """, language: .italian),
                Section(
                    heading: "Il consiglio direttivo",
                    text: """
                        Il consiglio ha sette componenti, eletti per tre anni. La presidente è \
                        Marta Olivieri.
                        """, language: .italian),
            ])
        try await add(
            "Come aderire alla comunità",
            [
                Section(
                    heading: "Chi può aderire",
                    text: """
                        Possono aderire famiglie e imprese sotto la stessa cabina primaria. Valle \
                        Chiara è servita dalla cabina primaria AC001E00417.
                        """, language: .italian)
            ])
        try await add(
            "Charging electric cars",
            [
                Section(
                    heading: "Community chargers",
                    text: """
                        There are six public chargers behind the library. Members pay 0.29 euros \
                        per kWh, guests 0.45.
                        """, language: .english)
            ])
    }
}
