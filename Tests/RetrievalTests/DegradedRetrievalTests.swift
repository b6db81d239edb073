import Domain
import Foundation
import Logging
import Postgres
import Qdrant
import Retrieval
import TestSupport
import Testing

@Suite("Retrieval with something away")
struct DegradedRetrievalTests {
    private let question = "Quante deleghe può portare un membro?"

    @Test("answers from Postgres without the vector engine")
    func withoutEngine() async throws {
        try await Library.run { library in
            try await library.addPages()
            for questions in [nil, Library.away] {
                let retrieval = library.retrieval(qdrant: Library.away, questions: questions)
                let result = try await retrieval.search(
                    question, for: Library.alice, in: library.generation, topK: 5)
                #expect(result.isDegraded)
                #expect(result.chunks.first?.chunk.text.contains("due deleghe") == true)
                let code = try await retrieval.search(
                    "Dov'è la cabina AC001E00417?", for: Library.alice, in: library.generation,
                    topK: 5)
                #expect(code.chunks.first?.chunk.text.contains("AC001E00417") == true)
                let nothing = try await retrieval.search(
                    "What is the capital of France?", for: Library.alice,
                    in: library.generation, topK: 5)
                #expect(nothing.chunks.isEmpty)
            }
        }
    }

    @Test("answers by words without the embedding model")
    func withoutEmbeddings() async throws {
        try await Library.run { library in
            try await library.addPages()
            let retrieval = library.retrieval(questions: Library.away)
            let result = try await retrieval.search(
                question, for: Library.alice, in: library.generation, topK: 5)
            #expect(result.isDegraded)
            #expect(result.chunks.first?.chunk.text.contains("due deleghe") == true)
            let nothing = try await retrieval.search(
                "Come si fa la pasta alla carbonara?", for: Library.alice,
                in: library.generation, topK: 5)
            #expect(nothing.chunks.isEmpty)
        }
    }

    @Test("answers from Postgres when the collection is gone")
    func withoutCollection() async throws {
        try await Library.run { library in
            try await library.addPages()
            try await library.qdrant().deleteCollection(library.generation.collection)
            let result = try await library.search(question)
            #expect(result.isDegraded)
            #expect(result.chunks.first?.chunk.text.contains("due deleghe") == true)
        }
    }

    @Test("answers nothing without Postgres")
    func withoutPostgres() async throws {
        try await Library.run { library in
            let away = PostgresPool(
                try PostgresConfiguration(url: "postgresql://127.0.0.1:1/nowhere"),
                connectionCountMax: 1, waitMax: .seconds(1), logger: .test)
            let retrieval = Retrieval(
                qdrant: library.qdrant(), models: library.models(), pool: away,
                logger: .test)
            await #expect(throws: PostgresError.self) {
                try await retrieval.search(
                    question, for: Library.alice, in: library.generation, topK: 5)
            }
        }
    }
}
