import Database
import Domain
import Postgres
import TestSupport
import Testing

@Suite("Index generations")
struct GenerationTests {
    let index = IndexDescription(
        passageModel: "p", questionModel: "q", dimensionCount: 384, chunkingVersion: "1",
        analysisVersion: "1")

    @Test("the first one is made once, however many start at once")
    func makesFirst() async throws {
        try await withDatabase { pool in
            let numbers = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        try await pool.transaction {
                            try GenerationStore($0).ensureLive(index, collectionBase: "docs").number
                        }
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(numbers == [1])
            let live = try await pool.read { try GenerationStore($0).live() }
            #expect(live?.collection == "docs__\(index.fingerprint)__1")
            #expect(live?.index == index)
        }
    }

    @Test("a new one is swapped in only when it lacks no document that the live one shows")
    func swaps() async throws {
        try await withDatabase { pool in
            try await pool.transaction { transaction in
                let store = GenerationStore(transaction)
                _ = try store.ensureLive(index, collectionBase: "docs")
                let next = try store.insert(index, collectionBase: "docs")
                #expect(try store.active().map(\.number) == [1, 2])
                let document = Document.ID()
                try DocumentStore(transaction).insert(
                    document, kind: .upload, owner: .shared, title: "t")
                let revision = Revision.id(
                    document: document, contentHash: [1], chunkingVersion: "1")
                try transaction.run(
                    """
                    INSERT INTO revisions (id, document_id, content_hash, chunking_version, text)
                    VALUES (\(revision), \(document), \([UInt8(1)]), '1', 'x')
                    """)
                try show(document, revision, in: 1, transaction)
                #expect(try store.setLive(next.number) == nil)
                #expect(try store.live()?.number == 1)
                try show(document, revision, in: 2, transaction)
                #expect(try store.setLive(next.number)?.old == 1)
                #expect(try store.list().map(\.state) == [.retired, .live])
                #expect(try store.isAsked(1) == false)
                try ChatReplicaStore(transaction).beat("r", generation: 1, reloadSequence: 0)
                #expect(try store.isAsked(1))
                try store.setDropped(1)
                #expect(try store.find(1)?.state == .dropped)
            }
        }
    }

    private func show(
        _ document: Document.ID, _ revision: Revision.ID, in generation: Int,
        _ transaction: Transaction
    ) throws {
        try transaction.run(
            """
            INSERT INTO indexed_documents (document_id, generation, revision_id)
            VALUES (\(document), \(generation), \(revision))
            """)
    }
}
