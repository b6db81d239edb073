import Domain
import Retrieval
import TextAnalysis

struct AskedQuestion: Decodable {
    let id: Int
    let question: String
}

/// What a question found. The legs' rankings are whole; `answer` is what a member would be given.
struct FoundRankings: Encodable {
    let id: Int
    /// As the analyser takes it to be.
    let language: String
    var rankings: [String: [FoundChunk]] = [:]
    var answer: [FoundChunk] = []
}

struct FoundChunk: Encodable {
    let id: String
    let path: String
    let headings: [String]
    let language: String
    let score: Double
    var cosine: Double?
    var overlap: Double?
    var bm25: Double?

    init(_ found: RetrievedChunk) {
        id = found.chunk.id.description
        path = found.path ?? found.title
        headings = found.chunk.headingPath
        language = found.chunk.language.rawValue
        score = found.score
    }

    init(_ ranked: RankedChunk) {
        self.init(ranked.chunk)
        cosine = ranked.evidence.cosine
        overlap = ranked.evidence.overlap
        bm25 = ranked.sparseScore
    }
}

/// Asks one index every way there is.
struct Searcher {
    let retrieval: Retrieval
    let generation: Generation
    private let member = Principal(user: User.ID(rawValue: "evaluation"))

    init(retrieval: Retrieval, generation: Generation) {
        self.retrieval = retrieval
        self.generation = generation
    }

    func find(_ asked: AskedQuestion, topK: Int) async throws -> FoundRankings {
        var found = FoundRankings(
            id: asked.id, language: Analyser.language(of: asked.question).rawValue)
        for legs in Legs.allCases {
            found.rankings[legs.rawValue] = try await retrieval.ranking(
                of: asked.question, for: member, in: generation, legs: legs, topK: topK
            ).map(FoundChunk.init)
        }
        found.answer = try await retrieval.search(
            asked.question, for: member, in: generation, topK: topK
        ).chunks.map(FoundChunk.init)
        return found
    }
}
