import Domain
import Testing

@testable import Retrieval

@Suite("Merged sources")
struct MergingTests {
    private func chunk(_ document: Document.ID, _ ordinal: Int, _ score: Double) -> RetrievedChunk {
        let revision = Revision.ID(rawValue: document.rawValue)
        return RetrievedChunk(
            chunk: Chunk(
                revision: revision, ordinal: ordinal, text: "x", page: nil, span: 0..<1,
                headingPath: [], language: .other),
            documentID: document, kind: .upload, title: "a file", path: nil, url: nil,
            score: score)
    }

    @Test("hold no chunk twice that was found in several ways")
    func unique() {
        let file = Document.ID()
        let found = [chunk(file, 0, 0.9), chunk(file, 0, 0)]
        let merged = Merging.merged(
            attachments: found, others: [chunk(file, 0, 0.8)], topK: 5)
        #expect(merged.map(\.chunk.ordinal) == [0])
    }

    @Test("represent each named file before a second piece of any, and leave room for others")
    func represented() {
        let (one, two, page) = (Document.ID(), Document.ID(), Document.ID())
        let merged = Merging.merged(
            attachments: [chunk(one, 0, 0.9), chunk(one, 1, 0.8), chunk(two, 0, 0.1)],
            others: [chunk(page, 0, 0.95), chunk(page, 1, 0.9), chunk(page, 2, 0.5)], topK: 4)
        #expect(merged.map(\.documentID) == [one, two, page, page])
        #expect(zip(merged, merged.dropFirst()).allSatisfy { $0.score >= $1.score })
    }
}
